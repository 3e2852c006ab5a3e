"""Behind a connection pooler that gives each transaction another session, everything works as without."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.tests.support.factories import whatsapp_body, whatsapp_value
from bot.tests.support.processes import PROJECT, System, running_system, wait_for
from bot.tests.system.faults.driving import message
from bot.tests.system.faults.pooler import reason_to_skip, running_pooler
from bot.tests.system.faults.servers import PostgresServer

pytestmark = [pytest.mark.processes, pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-")]

SHOW = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(connection.is_pooled, *cursor.fetchone())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture(scope="module", params=[False, True], ids=["refuses options", "ignores options"])
def system(
    request: pytest.FixtureRequest, server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    name = f"pooled_{int(request.param)}"
    server.create_database(name)
    with (
        running_pooler(server, name, ignores_options=request.param) as url,
        running_system(tmp_path_factory.mktemp("pooled"), url) as running,
    ):
        yield running


def test_messages_are_taken_and_answered(system: System) -> None:
    system.start_web()
    system.start_worker()
    people = [next(system.people) for _ in range(20)]
    for number in people:
        value = whatsapp_value(messages=[message("Hello", number)])
        assert system.post(whatsapp_body(value)) == 200
    wait_for(lambda: len(system.sends()) >= len(people), "every answer")


def test_commands_that_read_many_rows_bit_by_bit_end_well_side_by_side(system: System) -> None:
    rows = "".join(f"+49151{number},P {number}\n" for number in range(10_000_000, 10_003_000))
    file = system.folder / "people.csv"
    file.write_text(f"phone,name\n{rows}")
    system.manage("whitelist", "import", str(file))
    commands = [
        ("whitelist", "list"), ("export", "+4915110000007"), ("invite", "list"), ("usage_report",), ("cleanup",),
        ("export", "+4915110000009"),
    ]  # fmt: skip
    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(lambda command: system.manage(*command), commands))
    assert "P 10002999" in said[0]
    assert "P 10000007" in said[1]


def test_the_check_says_that_the_role_needs_its_own_time_outs(system: System, server: PostgresServer) -> None:
    def check() -> str:
        """Return what it says, on stderr."""
        command = [sys.executable, "manage.py", "check", "--deploy", "--database", "default"]
        done = subprocess.run(command, env=system.environment, cwd=PROJECT, capture_output=True, text=True, timeout=120)
        return done.stderr

    database = system.environment["DATABASE_URL"].rpartition("/")[2]
    assert "True 0" in system.manage("shell", "-c", SHOW)
    assert "parley.W018" in check()
    server.execute(f"ALTER DATABASE {database} SET statement_timeout = '15s'")
    server.terminate_backends()
    assert "True 15s" in system.manage("shell", "-c", SHOW)
    assert "parley.W018" not in check()


def test_without_a_pooler_the_limits_are_each_connections_own(server: PostgresServer, system: System) -> None:
    direct = System(server.url, system.model, system.whatsapp, system.folder)
    assert "False 15s" in direct.manage("shell", "-c", SHOW)
