"""Heartbeats: who lives is known, who died is found out, and none of it disturbs the work."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from bot.models import Heartbeat
from bot.monitoring import health, heartbeats
from bot.monitoring.heartbeats import ALIVE, SCHEDULER_VARIABLE, Kind, beat, end, host_name, process_name
from bot.operations import schedules
from bot.operations.purge import purge_expired
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import InboundFactory, event
from bot.tests.support.fakes import states, work_until

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def system(client: Client) -> dict[str, Any]:
    health.forget()
    return dict(json.loads(client.get("/readyz").content)["system"])


def test_a_process_has_one_row_that_says_since_when_and_when_last() -> None:
    with time_machine.travel("2026-11-25T10:00:00Z", tick=False) as clock:
        beat(Kind.WORKER, "host:1:a")
        clock.shift(8)
        beat(Kind.WORKER, "host:1:a")
        beat(Kind.WORKER, "host:2:b")
    row = Heartbeat.objects.get(process="host:1:a")
    assert row.seen_at - row.started_at == timedelta(seconds=8)
    end("host:1:a")
    assert list(Heartbeat.objects.values_list("process", flat=True)) == ["host:2:b"]


def test_names_of_processes_differ_and_begin_with_the_machine() -> None:
    names = {process_name() for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith(f"{socket.gethostname()}:") for name in names)


@pytest.mark.parametrize("kind", list(Kind))
def test_who_was_not_seen_for_too_long_is_not_alive(client: Client, kind: Kind) -> None:
    beat(kind, "host:1:a")
    assert system(client)[f"{kind}s_alive"] == 1
    with time_machine.travel(timezone.now() + ALIVE[kind] + timedelta(seconds=1)):
        found = system(client)
    assert found[f"{kind}s_alive"] == 0
    assert found[f"{kind}_seen_seconds"] == pytest.approx(ALIVE[kind].total_seconds() + 1, abs=5)


def test_without_workers_a_web_process_is_degraded_and_ready(client: Client) -> None:
    health.forget()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["system"]["worker_seen_seconds"] is None


def test_what_waits_is_told_but_not_what_waits_for_a_paused_bot(client: Client) -> None:
    waiting = InboundFactory.create(available_at=timezone.now() - timedelta(seconds=90))
    InboundFactory.create(state="done")
    found = system(client)
    assert found["waiting_messages"] == 1
    assert found["oldest_waiting_seconds"] == pytest.approx(90, abs=10)
    waiting.bot.paused_at = timezone.now()
    waiting.bot.save()
    assert system(client)["waiting_messages"] == 0


def test_a_worker_is_seen_while_it_works_and_its_row_goes_when_it_ends() -> None:
    seen: list[str] = []

    def is_seen() -> bool:
        seen.extend(Heartbeat.objects.filter(kind="worker").values_list("process", flat=True))
        return bool(seen)

    worker = work_until(is_seen)
    assert seen == [worker.name]
    assert not Heartbeat.objects.exists()


def test_a_heartbeat_that_fails_disturbs_no_work(
    bot: ActiveBot, alice: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(heartbeats, "beat", fail)
    monkeypatch.setattr(heartbeats, "end", fail)
    accept.accept(bot, [event("one")])
    work_until()
    assert states() == [("done", "")]
    assert {record.message for record in caplog.records if record.levelname == "ERROR"} == {"heartbeat_failed"}


def test_the_schedulers_task_notes_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    schedules.every_minute()
    assert not Heartbeat.objects.exists(), "by hand it is nobody's"
    monkeypatch.setenv(SCHEDULER_VARIABLE, "host:1:a")
    schedules.every_minute()
    assert list(Heartbeat.objects.values_list("kind", "process")) == [("scheduler", "host:1:a")]


def test_the_scheduler_lives_on_during_a_long_purge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCHEDULER_VARIABLE, "host:1:a")
    monkeypatch.setattr(schedules, "HEARTBEAT_SECONDS", 0.0)
    InboundFactory.create(state="done", received_at=timezone.now() - timedelta(days=9))
    schedules.purge()
    assert Heartbeat.objects.get().process == "host:1:a"


def test_rows_of_the_dead_go_after_a_day() -> None:
    for age in (23, 25):
        with time_machine.travel(timezone.now() - timedelta(hours=age)):
            beat(Kind.WORKER, f"host:{age}:a")
    assert purge_expired(dry_run=True)["heartbeats"] == 1
    assert purge_expired()["heartbeats"] == 1
    assert Heartbeat.objects.get().process == "host:23:a"


# --- manage.py healthcheck ---


@pytest.mark.parametrize("kind", list(Kind))
def test_healthcheck_is_content_with_a_fresh_heartbeat_of_this_machine(
    kind: Kind, capsys: pytest.CaptureFixture[str]
) -> None:
    beat(kind, process_name())
    call_command("healthcheck", str(kind))
    assert capsys.readouterr().out == f"{kind}: last seen 0 s ago\n"


@pytest.mark.parametrize("kind", list(Kind))
def test_healthcheck_says_what_is_wrong_with_a_process(kind: Kind) -> None:
    beat(kind, "another-machine:1:a")
    with pytest.raises(CommandError, match=f"{kind}: none was ever seen on this machine"):
        call_command("healthcheck", str(kind))
    with time_machine.travel(timezone.now() - ALIVE[kind] - timedelta(seconds=60)):
        beat(kind, f"{host_name()}1:a")
    with pytest.raises(CommandError, match=rf"{kind}: last seen \d+ s ago, more than {ALIVE[kind].seconds} s"):
        call_command("healthcheck", str(kind))


def test_healthcheck_says_when_the_database_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OperationalError("canary-detail")

    monkeypatch.setattr("bot.management.commands.healthcheck.brief_connection", fail)
    with pytest.raises(CommandError, match=r"^worker: the database does not answer \(OperationalError\)$"):
        call_command("healthcheck", "worker")


class Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/readyz" else 200)
        self.end_headers()
        self.wfile.write(b"said")

    def log_message(self, *args: object) -> None:
        return None


@pytest.fixture
def web_port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_healthcheck_asks_the_web_process(web_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("healthcheck", "web", port=web_port)
    assert capsys.readouterr().out == "web: /healthz answered 200 said\n"
    with pytest.raises(CommandError, match="web: /readyz answered 503 said"):
        call_command("healthcheck", "web", port=web_port, ready=True)


def test_healthcheck_gives_up_on_a_web_process_that_hangs_or_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(CommandError, match=f"web: no answer from port {port} within 1 s"):
            call_command("healthcheck", "web", port=port, timeout=1)
    with pytest.raises(CommandError, match=f"web: nothing answers on port {port}"):
        call_command("healthcheck", "web", port=port)
    with pytest.raises(CommandError, match="--timeout must be at least 1"):
        call_command("healthcheck", "web", timeout=0)
