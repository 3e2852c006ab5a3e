"""Faults of how Parley is installed and started that are known and not mended yet.

Take the mark away from a test that begins to pass.
"""

import re
from pathlib import Path

import pytest

from config.tests.environment.test_read import BASE
from config.tests.known_faults import known, promised


@pytest.mark.parametrize("path", ["docs/deployment.md", "Procfile"])
def test_the_web_process_speaks_http_1_only(path: str) -> None:
    assert speaks_http_1_only(path)


def speaks_http_1_only(path: str) -> bool:
    """Return whether every granian that a file starts on a port is told so."""
    commands = [line for line in (BASE / path).read_text().splitlines() if re.search(r"\bgranian\b.* --port", line)]
    if not commands:
        raise LookupError("no command starts the web process")
    return all(re.search(r"--http[ =]1\b", command) for command in commands)


@known("Half of what is installed is a dependency of a dependency: it floats, and nothing compares hashes.")
def test_everything_that_is_installed_is_locked_with_hashes() -> None:
    files = [*BASE.glob("requirements*.txt"), *BASE.glob("*.lock")]
    promised(any(is_locked(path) for path in files))


def is_locked(path: Path) -> bool:
    """Return whether a file pins each package with hashes."""
    text = path.read_text()
    packages = len(re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==", text, re.MULTILINE | re.IGNORECASE))
    return packages > 0 and len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) >= packages
