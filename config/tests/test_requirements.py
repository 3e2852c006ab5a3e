"""Everything that is installed is pinned with hashes, and production installs nothing of the suite."""

import re

import pytest

from config.tests.environment.values import BASE

FOLDER = BASE / "requirements"
PACKAGE = re.compile(r"^([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?==", re.MULTILINE | re.IGNORECASE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def packages(name: str) -> set[str]:
    """Return the packages of a file of requirements."""
    return {found.lower() for found in PACKAGE.findall((FOLDER / name).read_text())}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.name)
def test_each_package_is_pinned_with_hashes(path):
    pinned = re.split(r"\n(?=\S)", path.read_text().strip())
    assert pinned and all(PACKAGE.match(one) and HASH.search(one) for one in pinned)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.in")), ids=lambda path: path.name)
def test_what_is_wanted_is_what_is_locked(path):
    wanted = re.findall(r"^([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?==(\S+)", path.read_text(), re.MULTILINE | re.IGNORECASE)
    locked = path.with_suffix(".txt").read_text()
    for name, version in wanted:
        assert re.search(rf"^{re.escape(name)}(\[[\w,-]+\])?=={re.escape(version)} ", locked, re.MULTILINE), name


def test_production_installs_nothing_of_the_suite():
    assert not packages("production.txt") & {"pytest", "pytest-django", "factory-boy", "hypothesis", "selenium", "ruff"}


def test_a_developer_installs_both():
    lines = (BASE / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if line.startswith("-r")] == [
        "-r requirements/production.txt",
        "-r requirements/tests.txt",
    ]
