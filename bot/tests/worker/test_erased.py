"""What arrives late from who was erased brings nothing back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bot.models import AccessRequest, InboundMessage
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of_number
from bot.queue import accept, snapshot
from bot.queue.snapshot import ActiveBot
from bot.tests.privacy.erasure.erasing import forget, rows_about_chats
from bot.tests.support.factories import ALICE, BOB, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, work_until
from conversations.models import Conversation
from users.models import Tombstone, User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ID = "DE.13491208655302741918"


def test_a_late_delivery_is_not_taken_in(alice: User, bot: ActiveBot) -> None:
    written = timezone.now() - timedelta(seconds=1)
    accept.accept(bot, [event("m1", sent_at=written)])
    forget(alice)
    snapshot.forget()  # (or five seconds later)
    assert accept.accept(bot, [event("m1", sent_at=written), event("m2", sent_at=written)]).messages == 0
    assert rows_about_chats() == [0, 0, 0, 0]


def test_a_process_that_does_not_know_yet_takes_it_in_and_no_worker_answers_it(
    alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    written = timezone.now() - timedelta(seconds=1)
    accept.accept(bot, [])
    snapshot.tombstones()
    forget(alice)
    assert accept.accept(bot, [event("m1", sent_at=written)]).messages == 1
    work_until()
    assert rows_about_chats() == [0, 0, 0, 0]
    assert channel.sent == []


@pytest.mark.parametrize("is_known", [True, False], ids=["webhook", "worker"])
def test_a_late_message_is_known_by_its_second_name_as_well(
    is_known: bool, alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    snapshot.tombstones()
    forget(alice)
    if is_known:
        snapshot.forget()
    written = timezone.now() - timedelta(seconds=1)
    accepted = accept.accept(bot, [event("m1", address=ID, other_address=ALICE, sent_at=written)])
    assert accepted.messages == (0 if is_known else 1)
    work_until()
    assert rows_about_chats() == [0, 0, 0, 0]
    assert channel.sent == []


def test_who_writes_anew_is_somebody_new(alice: User, bot: ActiveBot, channel: ScriptedChannel) -> None:
    forget(alice)
    snapshot.forget()
    accept.accept(bot, [event("m1", sent_at=timezone.now() + timedelta(seconds=1))])
    work_until()
    assert AccessRequest.objects.get().address == ALICE
    person = whitelisted(ALICE)
    accept.accept(bot, [event("m2", sent_at=timezone.now() + timedelta(seconds=2))])
    work_until()
    assert channel.texts[-1] == "Echo: Hello"
    assert Conversation.objects.get().user == person


def test_an_old_message_of_who_came_back_is_not_answered(alice: User, bot: ActiveBot, channel: ScriptedChannel) -> None:
    written = timezone.now() - timedelta(seconds=1)
    forget(alice)
    whitelisted(ALICE)
    InboundFactory.create(bot_id=bot.id, sent_at=written, payload={"text": "old"})
    InboundFactory.create(bot_id=bot.id, sent_at=timezone.now() + timedelta(seconds=1), payload={"text": "new"})
    snapshot.forget()
    work_until()
    assert channel.texts == ["Echo: new"]
    assert InboundMessage.objects.count() == 1


def test_a_providers_clock_that_is_ahead_counts_but_not_for_ever(alice: User, bot: ActiveBot) -> None:
    InboundFactory.create(bot_id=bot.id, state="done", sent_at=timezone.now() + timedelta(seconds=90))
    InboundFactory.create(bot_id=bot.id, address=BOB, state="done", sent_at=timezone.now() + timedelta(days=9))
    forget(alice)
    at = Tombstone.objects.get().erased_at
    assert timedelta(seconds=60) < at - timezone.now() < timedelta(seconds=91)
    erase(subject_of_number(BOB), via="command")
    latest = Tombstone.objects.latest("erased_at").erased_at
    assert timedelta(minutes=50) < latest - timezone.now() < timedelta(minutes=61)


def test_one_who_is_erased_again_has_the_later_time(alice: User) -> None:
    forget(alice)
    first = Tombstone.objects.get().erased_at
    erase(subject_of_number(ALICE), via="command")
    assert Tombstone.objects.get().erased_at > first
