"""Several web and worker processes: their counters add up to what was sent; who dies is found out."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.tests.support.factories import whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import OPENER, PEOPLE, System, running_system, wait_for
from bot.tests.system.faults.binaries import free_port

pytestmark = [pytest.mark.promise("counters"), pytest.mark.processes]

CHATS = 40


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path) as running:
        yield running


def read(system: System, path: str, port: int | None = None) -> str:
    with OPENER.open(Request(f"http://127.0.0.1:{port or system.port}{path}"), timeout=30) as answer:
        return str(answer.read().decode())


def metrics(system: System, port: int | None = None) -> dict[str, float]:
    """Return every sample by its name and its labels' values."""
    return {
        " ".join([sample.name.removeprefix("parley_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(read(system, "/metrics", port))
        for sample in family.samples
    }


def deliver(system: System, number: int, port: int) -> int:
    message = whatsapp_message(f"text {number}", PEOPLE[number], id=f"wamid.{number}")
    return system.post(whatsapp_body(whatsapp_value(messages=[message])), port=port)


@pytest.mark.smoke
def test_the_counters_of_all_processes_add_up_to_what_was_sent(system: System) -> None:
    ports = [system.port, free_port()]
    webs = [system.start_web(port) for port in ports]
    system.start_pages()
    workers = [system.start_worker() for _ in range(2)]
    assert [deliver(system, number, ports[number % 2]) for number in range(CHATS)] == [200] * CHATS
    assert [deliver(system, number, ports[0]) for number in range(3)] == [200] * 3, "delivered again"
    assert system.post(b"{}", "sha256=00", ports[1]) == 403
    wait_for(lambda: len(system.sends()) >= CHATS, "all are answered", 120)
    statuses = [
        {"id": send["id"], "biz_opaque_callback_data": send["body"]["biz_opaque_callback_data"], "status": "delivered",
         "timestamp": str(int(time.time())), "recipient_id": send["body"]["to"]}
        for send in system.sends_received()
    ]  # fmt: skip
    wait_for(lambda: system.rows("SELECT count(*) FROM bot_lease WHERE worker <> ''") == [(0,)], "all is settled")
    assert system.post(whatsapp_body(whatsapp_value(statuses=statuses)), port=ports[1]) == 200
    # Told to stop, every process hands over what it has.
    for process in (webs[1], *workers):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    asked = [request for request in system.model.requests() if request["method"] == "POST"]
    wait_for(lambda: metrics(system)["deliveries_total delivered"] == CHATS, "the scrape's answer is a new one", 30)
    found = metrics(system)
    assert found["messages_received_total shop text"] == CHATS
    assert found["messages_redelivered_total shop"] == 3
    assert found["webhooks_refused_total UNAUTHORIZED"] == 1
    assert found["turns_total answered"] == CHATS
    assert found["deliveries_total sent"] == len(system.sends()) == CHATS
    model = "gpt-6-luna"
    assert found[f"model_seconds_count {model}"] == len(asked)
    assert found[f"input_tokens_total {model}"] == sum(request["billed"]["prompt_tokens"] for request in asked)
    assert found[f"output_tokens_total {model}"] == sum(request["billed"]["completion_tokens"] for request in asked)
    assert found["reply_seconds_count"] == CHATS
    assert found["workers_alive"] == 0, "their rows went with them"
    assert system.rows("SELECT count(*) FROM bot_heartbeat") == [(0,)]


def test_a_worker_that_is_killed_counts_as_dead_soon(system: System) -> None:
    system.start_web()
    system.start_pages()
    victim = system.start_worker()
    wait_for(lambda: alive(system) == 1, "it lives")
    victim.kill()
    victim.wait()
    time_passes(system, seconds=31)
    wait_for(lambda: alive(system) == 0, "it is taken for dead")
    found = json.loads(read(system, "/readyz"))
    assert found["status"] == "degraded"
    assert found["system"]["worker_seen_seconds"] > 30


def alive(system: System) -> int:
    return int(json.loads(read(system, "/readyz"))["system"]["workers_alive"])


def time_passes(system: System, seconds: int) -> None:
    """Let every heartbeat be so much older, as it would be by itself."""
    sqlite = system.environment["DATABASE_URL"].startswith("sqlite")
    earlier = (
        f"strftime('%Y-%m-%d %H:%M:%f', seen_at, '-{seconds} seconds')"
        if sqlite
        else f"seen_at - interval '{seconds} s'"
    )
    system.rows(f"UPDATE bot_heartbeat SET seen_at = {earlier}")  # noqa: S608


@pytest.mark.smoke
def test_a_scheduler_is_seen_and_its_row_goes_when_it_ends(system: System) -> None:
    scheduler = system.start_scheduler()
    wait_for(lambda: kinds(system) == ["scheduler"], "it is seen")
    wait_for(lambda: "running" in system.log_of(scheduler), "it works")
    assert "scheduler: last seen" in system.manage("healthcheck", "scheduler")
    os.killpg(scheduler.pid, signal.SIGTERM)
    assert scheduler.wait(60) == 0
    assert kinds(system) == []


def kinds(system: System) -> list[Any]:
    return [kind for (kind,) in system.rows("SELECT kind FROM bot_heartbeat")]
