"""Each step of an erasure takes its kind of trace away, and leaves what is not the person's."""

from typing import Any

import pytest
from django.utils import timezone

from bot.models import InboundMessage, Lease, OutboundMessage
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.privacy.erasure.erasing import forget, rows_about_chats
from bot.tests.support.factories import ALICE, BOB, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, work_until
from conversations.models import Conversation, Message
from usage.models import DailySpend, UsageRecord
from usage.tests.factories import UsageRecordFactory
from users.models import AuditEntry, User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bob(transactional_db: None) -> User:
    return whitelisted(BOB, name="Bob")


@pytest.mark.usefixtures("alice")
def test_what_a_conversation_left_behind_goes_with_the_person(
    bot: ActiveBot, bob: User, channel: ScriptedChannel
) -> None:
    for address in (ALICE, BOB):
        accept.accept(bot, [event(f"m-{address}", address=address)])
    work_until()
    bobs = [
        list(rows.values())
        for rows in (
            InboundMessage.objects.filter(address=BOB),
            OutboundMessage.objects.filter(address=BOB),
            Lease.objects.filter(address=BOB),
            Message.objects.filter(conversation__user=bob),
            UsageRecord.objects.filter(user=bob),
        )
    ]
    assert all(bobs)
    erased = forget(User.objects.get(phone_number=ALICE))
    assert not User.objects.filter(phone_number=ALICE).exists()
    assert rows_about_chats() == [1, 1, 1, 0]
    assert list(Conversation.objects.values_list("user", flat=True)) == [bob.pk]
    assert Message.objects.count() == 2
    assert bobs == [
        list(rows.values())
        for rows in (
            InboundMessage.objects.all(),
            OutboundMessage.objects.all(),
            Lease.objects.all(),
            Message.objects.all(),
            UsageRecord.objects.filter(user=bob),
        )
    ]
    assert erased.counts["inbox"] == erased.counts["outbox"] == 1


def test_what_it_cost_stays_and_is_nobodys(alice: User, bot: ActiveBot) -> None:
    for number in range(3):
        UsageRecordFactory.create(user=alice, cost_micros=10 + number)
    day = timezone.localdate()
    for owner in ({"user": alice}, {"bot": "shop"}, {}):
        DailySpend.objects.create(day=day, spent_micros=33, **owner)
    before = UsageRecord.objects.get_global_daily_total(day)
    forget(alice)
    assert UsageRecord.objects.get_global_daily_total(day) == before
    assert set(UsageRecord.objects.values_list("user", flat=True)) == {None}
    spends: list[Any] = list(DailySpend.objects.order_by("bot").values_list("user", "bot", "spent_micros"))
    assert spends == [(None, "", 33), (None, "shop", 33)]


def test_many_records_are_detached_in_batches(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.models.records.DETACHED_AT_ONCE", 2)
    for _ in range(5):
        UsageRecordFactory.create(user=alice)
    assert UsageRecord.objects.detach(alice) == 5
    assert set(UsageRecord.objects.values_list("user", flat=True)) == {None}


def test_the_audit_log_says_that_it_was_done_and_of_nobody(alice: User, bob: User, bot: ActiveBot) -> None:
    key = alice.pk
    InboundFactory.create(bot_id=bot.id, state="done")
    erase(subject_of(alice), via="admin", actor=bob)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor, entry.via) == ("erased", key, bob, "admin")
    assert entry.details["inbox"] == 1
    assert not {ALICE, ALICE[1:], "Alice"} & set(str(entry.__dict__).split("'"))
