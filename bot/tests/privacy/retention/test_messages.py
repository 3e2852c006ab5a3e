"""What the purge takes, and what it leaves."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule

from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.operations import schedules
from bot.operations.purge import purge_expired
from bot.tests.privacy.retention.due import ago, everything_due
from bot.tests.support.factories import ALICE, BOB, BotFactory, InboundFactory
from usage.days import today
from usage.models import DailySpend

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def bot() -> Any:
    return BotFactory.create(slug="shop")


def outbound(bot: Any, key: int, **fields: Any) -> OutboundMessage:
    return OutboundMessage.objects.create(
        **{"bot": bot, "address": ALICE, "turn_key": key, "part": 1, "text": "x", **fields}
    )


def test_rows_stay_eight_days_to_recognise_redeliveries_and_pending_ones_until_they_are_answered(bot: Any) -> None:
    for age, state in [(7.9, "done"), (8.1, "done"), (8.1, "dead"), (8.1, "quarantined"), (8.1, "pending")]:
        InboundFactory.create(bot=bot, state=state, received_at=ago(days=age))
    outbound(bot, 1, created_at=ago(days=8.1))
    outbound(bot, 2, created_at=ago(days=7.9), text="")

    assert purge_expired(dry_run=True)["inbound"] == 3
    removed = purge_expired()

    assert (removed["inbound"], removed["outbound"]) == (3, 1)
    assert sorted(InboundMessage.objects.values_list("state", flat=True)) == ["done", "pending"]
    assert OutboundMessage.objects.get().turn_key == 2


def test_texts_are_emptied_after_a_day_but_not_while_they_wait_to_be_sent(bot: Any) -> None:
    outbound(bot, 1, status="sent", created_at=ago(hours=25))
    outbound(bot, 2, status="sent", created_at=ago(hours=23))
    outbound(bot, 3, status="queued", created_at=ago(hours=25))

    assert purge_expired(dry_run=True)["outbound_texts"] == 1
    assert purge_expired()["outbound_texts"] == 1
    assert list(OutboundMessage.objects.order_by("turn_key").values_list("text", flat=True)) == ["", "x", "x"]


def test_a_lease_stays_while_its_chat_has_something_pending(bot: Any) -> None:
    Lease.objects.create(bot=bot, address=ALICE, expires_at=ago(days=9))
    Lease.objects.create(bot=bot, address=BOB, expires_at=ago(days=9))
    Lease.objects.create(bot=bot, address="+49151", expires_at=ago(days=7))
    InboundFactory.create(bot=bot, address=BOB)

    assert purge_expired()["leases"] == 1
    assert set(Lease.objects.values_list("address", flat=True)) == {BOB, "+49151"}


def test_an_access_request_is_forgotten_after_thirty_silent_days(bot: Any) -> None:
    for days, address in [(29, ALICE), (31, BOB)]:
        AccessRequest.objects.create(bot=bot, address=address, last_seen_at=ago(days=days))
    assert purge_expired()["access_requests"] == 1
    assert AccessRequest.objects.get().address == ALICE


def test_what_days_cost_is_kept_as_long_as_usage_records(settings: Any) -> None:
    settings.USAGE_RETENTION_DAYS = 30
    for days in (0, 29, 30, 400):
        for bot in ("", "shop"):
            DailySpend.objects.create(day=today() - timedelta(days=days), bot=bot)
    assert purge_expired(dry_run=True)["daily_spends"] == 4
    assert purge_expired()["daily_spends"] == 4
    assert min(DailySpend.objects.values_list("day", flat=True)) == today() - timedelta(days=29)


def test_the_purge_is_scheduled_daily_and_only_once() -> None:
    Schedule.objects.all().delete()
    for _ in range(2):
        schedules.ensure_schedules()

    schedule = Schedule.objects.get(name=schedules.PURGE_NAME)
    assert (schedule.func, schedule.schedule_type) == ("bot.operations.schedules.purge", Schedule.DAILY)
    assert timezone.now() < schedule.next_run <= timezone.now() + timedelta(days=1)


def test_what_an_operator_changed_about_the_schedule_stays() -> None:
    schedules.ensure_schedules()
    Schedule.objects.update(schedule_type=Schedule.HOURLY)
    schedules.ensure_schedules()
    assert Schedule.objects.get(name=schedules.PURGE_NAME).schedule_type == Schedule.HOURLY


def test_migrate_creates_the_schedule() -> None:
    Schedule.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert Schedule.objects.filter(func="bot.operations.schedules.purge").count() == 1


def test_the_scheduled_task_purges_and_logs_counts(bot: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "bot.privacy.retention")
    everything_due(bot)

    schedules.purge()

    (record,) = [vars(record) for record in caplog.records if record.message == "purge_done"]
    assert (record["conversations"], record["inbound"]) == (1, 1)
    assert not InboundMessage.objects.exists()
