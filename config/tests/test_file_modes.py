"""Files with data and secrets are their user's alone: new ones, and those that were there before."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.tests.system.faults.binaries import free_port
from config.file_modes import keep_new_files_private, make_private, open_files, private_files
from config.tests.bare import bare_environment
from config.tests.environment.values import BASE

SQLITE = "django.db.backends.sqlite3"
# What most shells and systemd say.
USUAL = 0o022


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(USUAL)
    yield
    os.umask(before)


@pytest.mark.parametrize("stricter", [0o022, 0o077, 0o177, 0o000])
def test_new_files_are_private_and_a_stricter_umask_stays(usual_umask: None, tmp_path: Path, stricter: int) -> None:
    os.umask(stricter)
    keep_new_files_private()
    assert os.umask(USUAL) == stricter | 0o077


def test_files_of_before_are_made_private_and_named(usual_umask: None, tmp_path: Path) -> None:
    database = {"ENGINE": SQLITE, "NAME": str(tmp_path / "db.sqlite3")}
    names = [".env", "db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "db.sqlite3-journal"]
    for name in names:
        (tmp_path / name).touch(0o666)
    (tmp_path / "other").touch(0o666)
    files = private_files(database, tmp_path)
    assert [path.name for path in open_files(files)] == names
    assert [path.name for path in make_private(files)] == names
    assert {mode(tmp_path / name) for name in names} == {0o600}
    assert make_private(files) == []
    assert mode(tmp_path / "other") == 0o644


def test_what_is_not_there_or_no_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir(0o755)  # (a virtual environment)
    assert make_private(private_files({"ENGINE": SQLITE, "NAME": str(tmp_path / "missing")}, tmp_path)) == []
    assert [path.name for path in private_files({"ENGINE": SQLITE, "NAME": ":memory:"}, tmp_path)] == [".env"]
    assert [path.name for path in private_files({"ENGINE": "config.db.postgresql", "NAME": "x"}, tmp_path)] == [".env"]


def test_a_file_of_somebody_else_may_be_read_by_our_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".env"
    path.touch()
    path.chmod(0o640)
    assert list(open_files([path])) == [path]
    monkeypatch.setattr("config.file_modes.os.geteuid", lambda: path.stat().st_uid + 1)
    assert list(open_files([path])) == []
    path.chmod(0o644)
    assert list(open_files([path])) == [path]


def run(tmp_path: Path, *command: str) -> None:
    environment = bare_environment(
        ENVIRONMENT="test", DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}", PYTHONPATH=str(BASE)
    )
    subprocess.run([sys.executable, *command], cwd=BASE, env=environment, umask=USUAL, check=True, timeout=120)


@pytest.mark.processes
def test_a_command_creates_a_database_that_is_its_users_alone(tmp_path: Path) -> None:
    run(tmp_path, "manage.py", "migrate", "users", "0001", "--verbosity", "0")
    files = sorted(tmp_path.glob("db.sqlite3*"))
    assert files and {mode(path) for path in files} == {0o600}


@pytest.mark.processes
def test_what_sqlite_keeps_beside_the_database_is_private_as_well(tmp_path: Path) -> None:
    writing = (
        "from config.wsgi import application; from wsgiref.util import setup_testing_defaults as fill;"
        "environ = dict(PATH_INFO='/healthz'); fill(environ); application(environ, lambda *_: None);"
        "from django.db import connection as c; c.cursor().execute('CREATE TABLE a (b)');"
        "import os, glob; open('{0}/modes', 'w').write(str(sorted(oct(os.stat(f).st_mode & 0o777) + f[-4:] "
        "for f in glob.glob('{0}/db*'))))"
    )
    run(tmp_path, "-c", writing.format(tmp_path))
    assert (tmp_path / "modes").read_text() == "['0o600-shm', '0o600-wal', '0o600ite3']"


@pytest.mark.processes
def test_make_run_mends_what_was_open_before_and_says_so(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    database.write_text("no database, so that nothing is started")
    database.chmod(0o644)
    environment = bare_environment(
        ENVIRONMENT="development", LLM_PROVIDER="demo", PORT=str(free_port()), DATABASE_URL=f"sqlite:///{database}"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "config.start"], cwd=BASE, env=environment, umask=USUAL, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert f"{database} could be read by other users of this machine." in ended.stdout
    assert (ended.returncode, mode(database)) == (1, 0o600)


def test_the_manuals_services_keep_their_files_private() -> None:
    manual = (BASE / "docs" / "deployment.md").read_text()
    units = manual.split("[Service]\n")[1:]
    assert len(units) == 4
    assert all("\nUMask=0077\n" in unit.partition("[Install]")[0] for unit in units)
