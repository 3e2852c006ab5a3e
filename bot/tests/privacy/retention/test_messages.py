"""What the purge takes, and what it leaves."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule

from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.operations import schedules
from bot.operations.purge import purge_expired
from bot.privacy.retention import release_abandoned_reservations
from bot.tests.support.factories import ALICE, BOB, BotFactory, InboundFactory, whitelisted
from conversations.models import Conversation
from usage import budgets
from usage.days import today
from usage.models import DailySpend, Reservation, UsageRecord
from users.invites import create_invite
from users.models import Invite, User

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def bot() -> Any:
    return BotFactory.create(slug="shop")


def ago(**time: float) -> Any:
    return timezone.now() - timedelta(**time)


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


def test_reservations_that_nobody_will_settle_are_given_back_and_those_of_open_turns_stay(bot: Any) -> None:
    alice = whitelisted(ALICE)
    pending, done = InboundFactory.create(bot=bot), InboundFactory.create(bot=bot, state="done")
    dead = InboundFactory.create(bot=bot, state="dead")
    for number, (key, age, amount) in enumerate(
        [(pending.pk, 2, 1), (done.pk, 2, 10), (dead.pk, 2, 100), (999_999, 2, 1_000), (999_998, 0.9, 10_000)]
    ):
        reserve(key, alice, amount)
        Reservation.objects.filter(turn_key=key).update(created_at=ago(hours=age))
        assert Reservation.objects.count() == number + 1

    assert release_abandoned_reservations(dry_run=True) == 3
    assert Reservation.objects.count() == 5
    assert purge_expired()["reservations"] == 3

    assert set(Reservation.objects.values_list("turn_key", flat=True)) == {pending.pk, 999_998}
    left = {(alice.pk, "", 10_001), (None, "shop", 10_001), (None, "", 10_001)}
    assert set(DailySpend.objects.values_list("user", "bot", "reserved_micros")) == left
    assert release_abandoned_reservations() == 0


def test_a_reservation_of_a_day_that_is_past_is_given_back_even_if_its_turn_is_open(bot: Any) -> None:
    with time_machine.travel(ago(days=1), tick=False):
        reserve(InboundFactory.create(bot=bot).pk, whitelisted(ALICE), 10)
    assert release_abandoned_reservations() == 1
    assert set(DailySpend.objects.values_list("reserved_micros", flat=True)) == {0}


def test_many_abandoned_reservations_go_in_short_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.budgets.RELEASED_AT_ONCE", 2)
    alice = whitelisted(ALICE)
    with time_machine.travel(ago(days=1), tick=False):
        for key in range(5):
            reserve(key, alice, 10)
    assert release_abandoned_reservations() == 5
    assert set(DailySpend.objects.values_list("reserved_micros", flat=True)) == {0}


def test_the_purge_takes_ended_invites_too_and_counts_them() -> None:
    create_invite()
    Invite.objects.filter(pk=create_invite().pk).update(expires_at=ago(days=31))
    assert purge_expired(dry_run=True)["invites"] == 1
    assert purge_expired()["invites"] == 1
    assert Invite.objects.count() == 1


def test_what_days_cost_is_kept_as_long_as_usage_records(settings: Any) -> None:
    settings.USAGE_RETENTION_DAYS = 30
    for days in (0, 29, 30, 400):
        for bot in ("", "shop"):
            DailySpend.objects.create(day=today() - timedelta(days=days), bot=bot)
    assert purge_expired(dry_run=True)["daily_spends"] == 4
    assert purge_expired()["daily_spends"] == 4
    assert min(DailySpend.objects.values_list("day", flat=True)) == today() - timedelta(days=29)


def reserve(key: int, user: User, amount: int) -> None:
    budgets.reserve([budgets.Wanted(key, 1, user.pk, "shop", amount, None, None, None)])


def everything_due(bot: Any) -> None:
    alice = whitelisted(ALICE)
    conversation = Conversation.objects.find_or_create(alice, "shop")
    Conversation.objects.add_message(conversation, "user", "Hello")
    Conversation.objects.update(expires_at=ago(minutes=1))
    UsageRecord.objects.create(user=alice, model="m", input_tokens=1, output_tokens=1, created_at=ago(days=400))
    InboundFactory.create(bot=bot, state="done", received_at=ago(days=9))


def test_cleanup_takes_what_is_due_in_every_app_and_says_how_much(bot: Any) -> None:
    everything_due(bot)
    out = StringIO()

    call_command("cleanup", "--dry-run", stdout=out)
    assert InboundMessage.objects.exists()
    call_command("cleanup", stdout=out)

    would, did = out.getvalue().split("Deleted:\n")
    header, *rows = would.splitlines()
    assert header == "Would delete:"
    assert sorted(rows) == [
        f"  {name:<22}{1:>12}" for name in ("conversation messages", "conversations", "inbound", "usage records")
    ]
    assert did.splitlines() == rows
    assert not Conversation.objects.exists()
    assert not UsageRecord.objects.exists()
    assert not InboundMessage.objects.exists()
    assert set(purge_expired().values()) == {0}


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
