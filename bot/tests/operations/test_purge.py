"""The purge as a whole: it only counts when told so, goes on after a failure, and several may run beside people."""

import io
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import Failure
from django_q.tasks import async_task

from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.operations import purge, schedules
from bot.operations.purge import PurgeFailed, purge_expired
from bot.privacy.retention.entry import Counts, Step
from bot.privacy.retention.table import steps
from bot.tests.privacy.retention.due import failing
from bot.tests.support.factories import BotFactory, InboundFactory
from bot.tests.support.retention_samples import SAMPLES, all_rows, seed, texts
from config.db.batches import Progress
from conversations.models import Conversation, Message
from usage import budgets
from usage.days import today
from usage.models import DailySpend, Reservation, UsageDay, UsageRecord
from users.models import User
from users.tests.together import together

pytestmark = [pytest.mark.promise("purge", "two purges beside writers"), pytest.mark.database]

DUE = timedelta(days=1_000)


def everything() -> dict[str, list[str]]:
    """Return all values of all rows of all tables."""
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    return {model._meta.label: sorted(map(repr, model._base_manager.values_list())) for model in models}


@pytest.mark.django_db
def test_a_dry_run_changes_nothing_in_any_table_and_counts_what_would_go(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "bot.privacy.retention")
    seed()
    before = everything()
    out = io.StringIO()
    would = purge_expired(dry_run=True)
    call_command("cleanup", "--dry-run", stdout=out)
    assert everything() == before
    assert all(would.values())
    assert {line.split("  ")[1]: int(line.split()[-1]) for line in out.getvalue().splitlines()[1:]} == {
        name.replace("_", " "): count for name, count in would.items()
    }
    assert "purge_done" not in caplog.messages, "nothing was purged, so no log says so"
    assert purge_expired() == would
    assert everything() != before


@pytest.mark.django_db
def test_one_step_that_fails_keeps_no_other_from_being_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    due = seed()
    rows = set(all_rows())
    failing(monkeypatch, "conversations", "sessions")
    with pytest.raises(PurgeFailed, match=r"^conversations, sessions$") as raised:
        purge_expired()
    labels = ("conversations.", "sessions.")
    assert rows - set(all_rows()) == {row for row in due["rows"] if not row.startswith(labels)}
    assert raised.value.counts["inbound"] == 9
    assert [vars(record)["step"] for record in caplog.records if record.message == "purge_failed"] == [
        "conversations",
        "sessions",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("name", [step.name for step in steps()])
def test_any_step_may_fail(name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "bot.privacy.retention")
    made = {other: SAMPLES[other](timezone.now() - DUE) for other in SAMPLES if other != name}
    failing(monkeypatch, name)
    with pytest.raises(PurgeFailed):
        purge_expired()
    assert {other: sum(rows.count() for rows in found) for other, found in made.items()} == dict.fromkeys(made, 0)
    (done,) = [vars(record) for record in caplog.records if record.message == "purge_done"]
    assert done["failed"] == [name]


@pytest.mark.django_db(transaction=True)
def test_a_failed_purge_is_a_failed_task_that_names_the_step_and_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing(monkeypatch, "leases")
    with pytest.raises(schedules.TaskFailed, match=r"^not purged: leases; the log says why, at purge_failed$"):
        async_task("bot.operations.schedules.purge", sync=True)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == ["purge_failed"]
    for failure in Failure.objects.all():
        assert "canary" not in str(failure.result)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_breaks_is_made_anew_for_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a file has no connection that could break")
    made = SAMPLES["sessions"](timezone.now() - DUE)
    killed = []

    def kill(step: Step) -> Callable[..., Counts]:
        def run(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
            with connection.cursor() as cursor:
                killed.append(step.name)
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            return step.run(period, dry_run, progress)

        return run

    changed = [replace(step, run=kill(step)) if step.name == "inbound" else step for step in steps()]
    monkeypatch.setattr(purge, "steps", lambda: iter(changed))
    with pytest.raises(PurgeFailed, match=r"^inbound$"):
        purge_expired()
    assert killed == ["inbound"]
    assert [rows.count() for rows in made] == [0]


@pytest.mark.django_db
def test_a_watch_ends_with_its_step_also_when_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "leases")
    seen: list[str] = []

    def watch(name: str) -> AbstractContextManager[None]:
        seen.append(name)
        return nullcontext()

    with pytest.raises(PurgeFailed):
        purge_expired(watch=watch)
    assert seen == [step.name for step in steps()]


def write(bot: Any, person: Any) -> None:
    """Do what webhooks, workers and staff do meanwhile, with rows that are not due."""
    for number in range(12):
        InboundFactory.create(bot=bot, address=f"+49150{number:08}")
        # (Of no turn that a sample has: those keep theirs until the purge comes to them.)
        key = 3 * 10**6 + number
        OutboundMessage.objects.create(bot=bot, address="+491511", turn_key=key, part=1, text="new", status="sent")
        Lease.objects.take([(bot.pk, f"+49150{number:08}")], "w", timezone.now(), timezone.now() + DUE)
        AccessRequest.objects.create(bot=bot, address=f"+49152{number:08}")
        conversation = Conversation.objects.find_or_create(person, "shop")
        Conversation.objects.add_message(conversation, "user", f"new {number}")
        UsageRecord.objects.create(user=person, model="new", input_tokens=1, output_tokens=1, cost_micros=1)
        budgets.reserve([budgets.Wanted(key, 1, person.pk, "shop", 10, None, None, None)])
        if number % 2:
            pay(key, person, 7)


@pytest.mark.django_db(transaction=True)
def test_purges_at_once_beside_writers_take_what_is_due_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("config.db.batches", "usage.folding", "bot.privacy.retention.messages"):
        monkeypatch.setattr(f"{module}.FIRST_SIZE", 2)
        monkeypatch.setattr(f"{module}.next_size", lambda size, seconds: size)
    due = seed((-400, -30, -3, 0, 2, 40))
    due_calls = UsageRecord.objects.count() + UsageDay.objects.get().calls
    before, texts_before = set(all_rows()), set(texts())
    bot = BotFactory.create(slug="shop")
    person = User.objects.create_user("+491511111111", is_whitelisted=True)
    # A conversation that is over, and is begun anew in the middle of it.
    over = Conversation.objects.find_or_create(person, "shop")
    Conversation.objects.add_message(over, "user", "old")
    Conversation.objects.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(hours=1))

    results = together(purge_expired, purge_expired, lambda: write(bot, person), lambda: write_settled(person))
    assert [result for result in results if isinstance(result, Exception)] == []
    purge_expired()

    assert before - set(all_rows()) == set(due["rows"])
    assert texts_before - set(texts()) == set(due["texts"])
    assert InboundMessage.objects.filter(bot=bot, state="pending").count() == 12
    assert OutboundMessage.objects.filter(bot=bot, text="new").count() == 12
    assert Lease.objects.filter(bot=bot).count() == AccessRequest.objects.filter(bot=bot).count() == 12
    assert [*Message.objects.filter(conversation__user=person).order_by("pk").values_list("content", flat=True)] == [
        f"new {number}" for number in range(12)
    ]
    assert UsageRecord.objects.filter(model="new").count() == 12
    calls = UsageRecord.objects.count() + sum(UsageDay.objects.values_list("calls", flat=True))
    assert calls == due_calls + 12
    # 6 of 12 turns and 10 others were settled, 6 still hold what they reserved.
    assert Reservation.objects.filter(user=person).count() == 6
    spends = DailySpend.objects.filter(user=person).values_list("spent_micros", "reserved_micros")
    assert [*spends] == [(6 * 7 + 10 * 3, 60)]


def write_settled(person: Any) -> None:
    """Pay for turns beside the purge that gives reservations back."""
    for key in range(2 * 10**6, 2 * 10**6 + 10):
        budgets.reserve([budgets.Wanted(key, 1, person.pk, "shop", 10, None, None, None)])
        pay(key, person, 3)


@transaction.atomic
def pay(key: int, person: Any, micros: int) -> None:
    budgets.settle([budgets.Spent(key, 1, person.pk, "shop", micros, today(), True)])
