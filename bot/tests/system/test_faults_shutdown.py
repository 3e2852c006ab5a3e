"""SIGTERM under load: what was accepted is answered, what was begun is finished or given back, the exit code is 0."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.pipeline.limiter import Limiter
from bot.tests.support.factories import signature, whatsapp_body, whatsapp_value
from bot.tests.support.fakes import work_until
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.binaries import free_port
from bot.tests.system.faults.driving import (
    FAULTY,
    PATIENCE_SECONDS,
    Delivered,
    inbound_of,
    message,
    questions,
    wait_for_log,
    wait_for_question,
)
from config.db.batching import Database

pytestmark = [pytest.mark.promise("shutdown", "web, worker, scheduler"), pytest.mark.processes]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("shutdown")) as running:
        running.start_web()
        yield running


def ended_well(process: "subprocess.Popen[bytes]") -> bool:
    return process.wait(PATIENCE_SECONDS) == 0


def test_a_worker_told_to_stop_claims_nothing_more_finishes_what_it_can_and_gives_the_rest_back(
    system: System,
) -> None:
    case = Delivered(system)
    quick, hanging, late = (message(text, next(system.people)) for text in ("is quick", "hangs", "comes late"))
    system.model.script([{"for": "is quick", "delay": 2}, {"for": "hangs", "hang": True}])
    worker = system.start_worker(**FAULTY, PARLEY_HURRY="drain=7")
    case.deliver(quick, hanging)
    wait_for_question(system, "is quick", "hangs")

    worker.terminate()
    wait_for_log(system, worker, "worker_draining")
    case.deliver(late)

    assert ended_well(worker)
    assert inbound_of(system, quick["id"]) == ("done", 1, "")
    assert inbound_of(system, hanging["id"]) == ("pending", 0, "")
    assert inbound_of(system, late["id"]) == ("pending", 0, "")
    successor = system.start_worker()
    assert len(case.wait_for_the_end().answered) == 3
    assert [len(questions(system, text)) for text in case.accepted.values()] == [1, 2, 1]
    successor.terminate()
    assert ended_well(successor)


def test_load_through_the_stop_of_one_of_two_workers_loses_and_doubles_nothing(system: System) -> None:
    case, rounds = Delivered(system), 8
    people = {f"load{number}": next(system.people) for number in range(12)}
    asked = [f"{name} round {number}" for name in people for number in range(rounds)]
    system.model.script([{"for": words, "delay": 0.3} for words in asked])
    first, second = system.start_worker(), system.start_worker()
    for number in range(rounds):
        case.deliver(*(message(f"{name} round {number}", person) for name, person in people.items()))
        wait_for_question(system, f"round {number}")
        if number == rounds // 2:
            for worker in (first, second):
                wait_for_log(system, worker, "worker_started")
            first.terminate()

    assert len(case.wait_for_the_end().answered) == len(people) * rounds

    second.terminate()
    assert ended_well(first)
    assert ended_well(second)


def test_a_web_process_told_to_stop_under_load_answers_200_only_for_what_is_stored_and_nothing_is_lost(
    system: System,
) -> None:
    case, port = Delivered(system), free_port()
    web = system.start_web(port)
    clients = 6
    people = [next(system.people) for _ in range(clients)]
    refused: list[dict[str, object]] = []
    taken: list[dict[str, str]] = [{} for _ in people]

    def client(number: int) -> None:
        while True:
            item = message(f"client{number} {len(taken[number])}", people[number])
            answer = system.post(whatsapp_body(whatsapp_value(messages=[item])), port=port)
            if answer != 200:
                refused.append(item)
                return
            taken[number][item["id"]] = item["text"]["body"]

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client, number) for number in range(clients)]
        wait_for(lambda: min(map(len, taken)) > 10, "all are served", PATIENCE_SECONDS)
        web.terminate()
        for future in running:
            future.result()

    assert ended_well(web)
    stored = {id for (id,) in system.rows("SELECT external_id FROM bot_inboundmessage")}
    assert stored >= {id for accepted in taken for id in accepted}
    for accepted in taken:
        case.accepted |= accepted
    case.deliver(*refused)  # as the provider would: to another web process
    worker = system.start_worker()
    assert len(case.wait_for_the_end().answered) == len(case.accepted)
    worker.terminate()
    assert ended_well(worker)


def test_a_web_process_told_to_stop_answers_the_request_it_is_in(system: System) -> None:
    case, port = Delivered(system), free_port()
    web = system.start_web(port)
    item = message("in the middle", next(system.people))
    body = whatsapp_body(whatsapp_value(messages=[item]))
    head = (
        f"POST /webhooks/whatsapp/shop/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: {signature(body)}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head.encode())
        # The server asks for the body: it is in the middle of this request.
        assert connection.recv(1_000).startswith(b"HTTP/1.1 100")
        web.terminate()
        wait_for_log(system, web, "Stopping worker")
        connection.sendall(body)
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200")

    assert ended_well(web)
    case.accepted[item["id"]] = item["text"]["body"]
    worker = system.start_worker()
    assert len(case.wait_for_the_end().answered) == 1
    worker.terminate()
    assert ended_well(worker)


def test_a_scheduler_told_to_stop_ends_well_alone_and_with_its_whole_group(system: System) -> None:
    alone, group = system.start_scheduler(), system.start_scheduler()
    for scheduler in (alone, group):
        wait_for_log(system, scheduler, "running.")

    alone.send_signal(signal.SIGTERM)
    os.killpg(group.pid, signal.SIGTERM)

    assert ended_well(alone)
    assert ended_well(group)


@pytest.mark.django_db(transaction=True)
def test_a_worker_closes_its_database_first_and_then_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    database_close, limiter_close = Database.close, Limiter.close

    async def close_database(self: Database) -> None:
        await database_close(self)
        closed.append("database")

    async def close_limiter(self: Limiter) -> None:
        closed.append("redis")
        await limiter_close(self)

    monkeypatch.setattr(Database, "close", close_database)
    monkeypatch.setattr(Limiter, "close", close_limiter)

    work_until(lambda: True)

    assert closed == ["database", "redis"]
