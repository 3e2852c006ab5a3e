"""Real processes with a broken environment: they say what is wrong and stop; with a good one they are clean."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.tests.bare import bare_environment
from config.tests.environment.values import PRODUCTION

BASE = Path(__file__).resolve().parents[2]
BROKEN = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "canary",
    "PORT": "canary-port",
    "DATABASE_URL": "canary://u:canary@h/n",
}
NAMED = ["PORT", "DATABASE_URL", "OPENAI_API_KEY", "SECRET_KEY", "REDIS_URL", "ALLOWED_HOSTS", "PUBLIC_URL"]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this virtual environment with nothing but the given variables, and return how it ended."""
    own = bare_environment(PYTHONPATH=str(BASE), **environment)
    return subprocess.run(
        [sys.executable, *command], cwd=BASE, env=own, capture_output=True, text=True, timeout=60, check=False
    )


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@pytest.mark.processes
@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "check"),
        ("manage.py", "migrate"),
        ("manage.py", "qcluster"),
        ("-m", "granian", "--interface", "wsgi", "--port", "FREE", "config.wsgi:application"),
    ],
    ids=lambda command: command[1],
)
def test_every_process_lists_all_problems_and_stops_without_a_traceback(command):
    ended = run(*(free_port() if word == "FREE" else word for word in command), **BROKEN)
    written = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "Traceback" not in written
    assert [line.split()[1] for line in written.splitlines() if line.startswith("  - ")] == NAMED
    assert "canary" not in written.replace("(found 'canary-port')", "")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("chosen", "silenced"),
    [
        ({}, 1),
        ({"HSTS_PRELOAD": "true"}, 0),
        ({"HSTS_INCLUDE_SUBDOMAINS": "false"}, 2),
    ],
)
def test_the_deployment_check_is_clean_with_production_settings(chosen, silenced):
    given = {**PRODUCTION, "DAILY_BUDGET_USD": "25", **chosen}
    ended = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **given)
    clean = f"System check identified no issues ({silenced} silenced).\n"
    assert (ended.returncode, ended.stdout) == (0, clean), ended.stderr


@pytest.mark.processes
@pytest.mark.parametrize("options", [(), ("--deploy",)])
def test_without_a_named_database_no_check_asks_one(options):
    # Whoever asked this address would wait, and the check would tell that it does not answer.
    silent = {**PRODUCTION, "DAILY_BUDGET_USD": "25", "DATABASE_URL": "postgres://u:canary@192.0.2.1:5432/parley"}
    ended = run("manage.py", "check", *options, "--fail-level", "WARNING", **silent)
    clean = f"System check identified no issues ({len(options)} silenced).\n"  # (HSTS_PRELOAD, which is a choice)
    assert (ended.returncode, ended.stdout) == (0, clean), ended.stderr


@pytest.mark.processes
def test_a_command_whose_reader_has_seen_enough_ends_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "help"],
        cwd=BASE,
        env=bare_environment(PYTHONPATH=str(BASE), ENVIRONMENT="test"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    process.stdout.close()  # as `| head` does
    complaints = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), complaints) == (141, b"")
