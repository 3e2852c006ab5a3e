"""Heartbeats: who lives is known, who died is found out, and none of it disturbs the work."""

import socket
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from bot.models import Heartbeat
from bot.monitoring.heartbeats import ALIVE, SCHEDULER_VARIABLE, Kind, beat, end, process_name
from bot.operations import schedules
from bot.operations.purge import purge_expired
from bot.tests.monitoring.living import system
from bot.tests.support.factories import InboundFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


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
