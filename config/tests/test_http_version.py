"""The web process speaks HTTP/1 only: the front counts on it."""

import re

import pytest

from config.tests.environment.values import BASE


@pytest.mark.parametrize("path", ["docs/deployment.md", "Procfile"])
def test_the_web_process_speaks_http_1_only(path: str) -> None:
    assert speaks_http_1_only(path)


def speaks_http_1_only(path: str) -> bool:
    """Return whether every granian that a file starts on a port is told so."""
    commands = [line for line in (BASE / path).read_text().splitlines() if re.search(r"\bgranian\b.* --port", line)]
    if not commands:
        raise LookupError("no command starts the web process")
    return all(re.search(r"--http[ =]1\b", command) for command in commands)
