"""Parts of the web process and its neighbour die: what does not need them goes on, and they come back."""

import os
import resource
import signal
from collections.abc import Iterator

import pytest

from bot.tests.support.factories import ALICE, whatsapp_body, whatsapp_value
from bot.tests.support.processes import PROJECT, System, running_system, wait_for
from bot.tests.system.faults.binaries import free_port
from bot.tests.system.faults.crowd import LOGIN, Crowd, ask, family, head, headers_of, open_files, status_of
from bot.tests.system.faults.driving import PATIENCE_SECONDS, message

pytestmark = [pytest.mark.promise("parts"), pytest.mark.processes]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("parts")) as running:
        running.start_web()
        yield running


def deliver(system: System, size: int = 5) -> int:
    return system.post(whatsapp_body(whatsapp_value(messages=[message("x" * size, ALICE)])))


def test_without_the_pages_webhooks_and_probes_are_answered_and_pages_come_back(system: System) -> None:
    for _ in range(2):
        pages = system.start_pages()
        wait_for(lambda: system.get(LOGIN) == 200, "pages are there")
        os.killpg(pages.pid, signal.SIGKILL)  # its socket stays behind
        pages.wait(PATIENCE_SECONDS)
        answer = ask(system.port, head("GET", LOGIN))
        assert (status_of(answer), headers_of(answer)["retry-after"]) == (503, "5")
        assert (deliver(system), system.get("/healthz")) == (200, 200)


def test_a_large_delivery_is_parsed_by_a_child_that_is_replaced_and_never_outlives_its_parent(system: System) -> None:
    system.port = free_port()
    web = system.start_web()
    alone = set(family(web))
    assert deliver(system, 500_000) == 200
    for pid in set(family(web)) - alone:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: deliver(system, 500_000) == 200, "another one is started")
    children = set(family(web)) - alone
    assert children
    os.killpg(web.pid, signal.SIGKILL)
    web.wait(PATIENCE_SECONDS)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}/fd/0") for pid in children), "the child ends too")


def test_the_procfile_removes_the_socket_that_killed_pages_leave_behind() -> None:
    (line,) = (line for line in (PROJECT / "Procfile").read_text().splitlines() if line.startswith("pages:"))
    assert line.startswith('pages: rm -f "${PAGES_SOCKET:-pages.sock}" && exec ')


def test_more_connections_than_files_end_nobody_and_are_forgotten(system: System) -> None:
    system.port = free_port()
    web = system.start_web()
    assert deliver(system) == 200
    for pid in family(web):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (200, 200))
    with Crowd(system.port) as crowd:
        crowd.join(300)
        wait_for(lambda: open_files(web) >= 200, "no file is left")
    wait_for(lambda: deliver(system) == 200, "deliveries are taken again")
    assert web.poll() is None
