"""`make run`: what it does first, what it refuses, and that everything it started ends with it."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bot.tests.system.faults.binaries import free_port
from config.environment.dotenv import create_dotenv
from config.environment.read import TEST_SECRET_KEY, validate
from config.start import is_free
from config.tests.bare import bare_environment

BASE = Path(__file__).resolve().parents[2]


def start(tmp_path: Path, **environment: str) -> subprocess.Popen[str]:
    """Start Parley with a database of its own and no other service, in a session of its own like a terminal's."""
    own = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "PAGES_SOCKET": str(tmp_path / "pages.sock"),
        "REDIS_URL": "",
        "LLM_PROVIDER": "demo",
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "config.start"],
        cwd=BASE,
        env=bare_environment(**own),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_until_ready(port: int, process: subprocess.Popen[str], path: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=3) as response:
                assert response.status == 200
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"not ready; ended with {process.poll()}")


def is_alive(pid: int) -> bool:
    """Return whether any process of the group that pid leads is still there."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.processes
@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(signal.SIGINT, id="ctrl-c", marks=pytest.mark.smoke),
        pytest.param(signal.SIGHUP, id="closed terminal"),
    ],
)
def test_everything_starts_on_an_empty_database_and_ends_within_seconds(tmp_path, ending):
    port = free_port()
    process = start(tmp_path, PORT=str(port))
    pids: list[int] = []
    try:
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            pids += [int(pid) for pid in re.findall(r"started \(pid=(\d+)\)", line)]
            # The last one to be ready to be stopped; what is stopped while it starts may take the hard way.
            if "Q Cluster" in line and "running" in line:
                break
        wait_until_ready(port, process, "/readyz")
        wait_until_ready(port, process, "/admin/login/")
        os.killpg(process.pid, ending)
        rest, _ = process.communicate(timeout=20)
        assert process.returncode == (0 if ending is signal.SIGINT else 128 + signal.SIGTERM)
        assert len(pids) == 4
        assert not any(is_alive(pid) for pid in pids)
        if ending is signal.SIGINT:
            assert sorted(re.findall(r"(\w+) stopped \(rc=(-?\d+)\)", rest)) == [
                ("pages", "0"),
                ("scheduler", "0"),
                ("web", "0"),
                ("worker", "0"),
            ]
        output = "".join(lines)
        assert f"http://localhost:{port}/admin/" in output
        assert re.search(r"Owner: \+\d+, password \S{12,}", output)
    finally:
        for pid in [process.pid, *pids]:
            if is_alive(pid):
                os.killpg(pid, signal.SIGKILL)


@pytest.mark.processes
def test_a_port_in_use_is_said_before_anything_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = start(tmp_path, PORT=str(port))
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == f"Port {port} is in use. Stop what uses it, or choose another: PORT={port + 1} in .env.\n"
    assert not (tmp_path / "db.sqlite3").exists()


@pytest.mark.processes
def test_a_broken_environment_is_said_before_anything_starts(tmp_path):
    process = start(tmp_path, LOG_LEVEL="LOUD")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR (found 'LOUD')" in output
    assert "Traceback" not in output


def test_a_first_start_makes_a_secret_key_of_its_own_that_nobody_else_can_read(tmp_path):
    create_dotenv(tmp_path / "one")
    create_dotenv(tmp_path / "two")
    first, second = (dict(line.split("=", 1) for line in read_assignments(tmp_path / name)) for name in ("one", "two"))
    assert first["ENVIRONMENT"] == "development"
    assert len(first["SECRET_KEY"]) >= 50
    assert first["SECRET_KEY"] != second["SECRET_KEY"]
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def read_assignments(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def test_a_first_development_server_signs_with_a_key_of_its_own(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, config.start; config.start.BASE = pathlib.Path(sys.argv[1]);"
        "import manage, django.core.management as m; manage.execute_from_command_line = lambda argv: None;"
        "sys.argv = ['manage.py', 'runserver']; manage.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=BASE, env=bare_environment(), capture_output=True, check=True
    )
    assert b"Created .env" in done.stdout
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_without_a_file_no_development_process_has_a_key_from_the_source(tmp_path: Path) -> None:
    keys = {validate({"ENVIRONMENT": "development"}, tmp_path)[0]["SECRET_KEY"] for _ in range(2)}
    assert len(keys) == 2
    assert TEST_SECRET_KEY not in keys


def test_a_dotenv_file_that_is_there_is_left_alone(tmp_path):
    path = tmp_path / ".env"
    path.write_text("PORT=3100\n")
    create_dotenv(path)
    assert path.read_text() == "PORT=3100\n"


def test_a_port_is_free_until_somebody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
