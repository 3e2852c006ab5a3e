"""No command ends because of a name that the terminal, or what it is told of it, cannot write."""

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.tests.support.databases import own_database
from bot.tests.support.processes import PROJECT

pytestmark = pytest.mark.processes

NAME = "Zoë Łukasz 李 \U0001f600"
PHONE = "+4915112345678"
NARROW = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "LANG": "C"},
    "C, taken at its word": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_database(tmp_path_factory.mktemp("terminals")) as url:
        manage(url, {}, "migrate", "--verbosity", "0")
        manage(url, {"PYTHONUTF8": "1"}, "whitelist", "add", PHONE, "--name", NAME)
        manage(url, {"PYTHONUTF8": "1"}, "invite", "create", "--note", NAME)
        yield url


def manage(url: str, narrow: dict[str, str], *command: str) -> bytes:
    """Return what a command prints, byte for byte."""
    ended = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=PROJECT, env=environment(url, narrow), capture_output=True,
        timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")
    assert b"Traceback" not in ended.stderr
    return ended.stdout


def environment(url: str, narrow: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url, "REDIS_URL": "", "ENVIRONMENT": "test", **narrow}


COMMANDS = (
    ("whitelist", "list"), ("whitelist", "export"), ("export", PHONE), ("invite", "list"), ("usage_report", "--csv"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("narrow", "command"),
    [*((NARROW["ascii"], command) for command in COMMANDS), *((narrow, COMMANDS[0]) for narrow in NARROW.values())],
)
def test_every_list_and_export_is_written_in_every_encoding(
    database: str, narrow: dict[str, str], command: tuple[str, ...]
) -> None:
    assert manage(database, narrow, *command)


@pytest.mark.parametrize("narrow", [NARROW["ascii"], NARROW["C, taken at its word"]], ids=["ascii", "C"])
def test_what_is_exported_where_only_ascii_is_known_is_whole(database: str, narrow: dict[str, str]) -> None:
    rows = list(csv.reader(manage(database, narrow, "whitelist", "export").decode("utf-8").splitlines()))
    assert any(NAME in row for row in rows)
    assert NAME in json.dumps(json.loads(manage(database, narrow, "export", PHONE)), ensure_ascii=False)


@pytest.mark.smoke
def test_a_terminal_of_few_characters_shows_the_others_as_escapes(database: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "whitelist", "list"], cwd=PROJECT, env=environment(database, NARROW["ascii"]),
        stdout=theirs, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # as a terminal says that nobody writes any more
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(60) == 0
    assert rb"Zo\xeb \u0141ukasz \u674e \U0001f600" in shown
