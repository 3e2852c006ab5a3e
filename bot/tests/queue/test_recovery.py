"""What was uncertain is resolved, what is dead can be replayed, and each of it once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.channels.sending import SendError
from bot.models import InboundMessage, OutboundMessage
from bot.queue import accept, recovery
from bot.queue.snapshot import ActiveBot
from bot.tests.queue.uncertain import told
from bot.tests.support.factories import BOB, InboundFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, states, statuses, work_until
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
    pytest.mark.promise("uncertain"),
    pytest.mark.promise("dead letters"),
]

LONG = "x" * 4096 + " rest"
UNKNOWN = SendError("timeout", uncertain=True)
REFUSED = SendError("131026")


@pytest.fixture
def uncertain(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> OutboundMessage:
    """The first of two parts, whose end nobody knows."""
    model.enqueue(LONG)
    channel.enqueue(UNKNOWN)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    assert statuses() == ["uncertain", "failed"]
    return OutboundMessage.objects.get(part=1)


@pytest.fixture
def dead(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> InboundMessage:
    """A message whose reply was refused."""
    channel.enqueue(REFUSED)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    assert states() == [("dead", "CHANNEL_ERROR:131026")]
    return InboundMessage.objects.get()


@pytest.fixture
def staff(client: Client, alice: User) -> Client:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    return client


def act(staff: Client, model: str, action: str, *ids: int) -> str:
    """Do an action of a changelist, on the page that asks as well, and return the page that follows."""
    data = {"action": action, "_selected_action": [str(id) for id in ids]}
    url = reverse(f"admin:bot_{model}_changelist")
    before = (states(), statuses())
    staff.post(url, data)
    assert (states(), statuses()) == before, "nothing is done before it is confirmed"
    return staff.post(url, {**data, "confirmed": "1"}, follow=True).content.decode()


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_a_status_with_our_id_resolves_an_uncertain_send_and_the_rest_of_the_reply_follows(
    bot: ActiveBot, uncertain: OutboundMessage, channel: ScriptedChannel, model: ScriptedModel, status: str
) -> None:
    told(bot, uncertain, status)
    work_until(model=model)

    assert channel.texts == ["x" * 4096, "rest"], "the first part is not sent again"
    assert statuses() == [status, "sent"]
    assert states() == [("done", "")]
    assert len(model.history) == 1


def test_the_same_status_again_changes_nothing(
    bot: ActiveBot, uncertain: OutboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    for _ in range(3):
        told(bot, uncertain, "delivered")
        work_until(model=model)

    assert len(channel.sent) == 2


def test_a_status_that_says_failed_leaves_the_rest_unsent(
    bot: ActiveBot, uncertain: OutboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    told(bot, uncertain, "failed")
    work_until(model=model)

    assert len(channel.sent) == 1
    assert statuses() == ["failed", "failed"]


def test_the_rest_of_a_reply_does_not_come_after_a_long_time(
    bot: ActiveBot, uncertain: OutboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    OutboundMessage.objects.update(updated_at=timezone.now() - timedelta(minutes=11))
    told(bot, uncertain, "delivered")
    work_until(model=model)

    assert len(channel.sent) == 1
    assert statuses() == ["delivered", "failed"]
    assert states() == [("done", "")]


def test_a_status_that_comes_while_a_send_is_under_way_lets_the_rest_follow(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    """The answer to the request is lost, but the status was faster than our own record of that."""

    async def delivered_but_never_answered(message: object) -> None:
        await in_thread(lambda: told(bot, OutboundMessage.objects.get(part=1), "delivered"))
        raise UNKNOWN

    model.enqueue(LONG)
    channel.enqueue(delivered_but_never_answered)
    accept.accept(bot, [event("m1")])
    work_until(model=model)

    assert channel.texts == ["x" * 4096, "rest"]
    assert statuses() == ["delivered", "sent"]
    assert states() == [("done", "")]


def test_staff_who_know_that_it_arrived_let_the_rest_follow(
    staff: Client, uncertain: OutboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    OutboundMessage.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    assert "1 message marked as sent" in act(staff, "outboundmessage", "mark_sent", uncertain.pk)
    assert "0 messages marked as sent" in act(staff, "outboundmessage", "mark_sent", uncertain.pk)
    work_until(model=model)

    assert channel.texts == ["x" * 4096, "rest"]
    assert statuses() == ["sent", "sent"]


def test_staff_may_send_an_uncertain_message_again_and_the_rest_follows(
    staff: Client, uncertain: OutboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    assert "1 message is sent again" in act(staff, "outboundmessage", "send_again", uncertain.pk)
    assert "0 messages are sent again" in act(staff, "outboundmessage", "send_again", uncertain.pk)
    work_until(model=model)

    assert channel.texts == ["x" * 4096, "x" * 4096, "rest"]
    assert statuses() == ["sent", "sent"]
    assert states() == [("done", "")]
    assert len(model.history) == 1


def test_what_was_sent_or_has_no_text_any_more_is_not_sent_again(
    uncertain: OutboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    OutboundMessage.objects.filter(part=1).update(text="")
    OutboundMessage.objects.filter(part=2).update(status="delivered")
    assert recovery.send_again([message.pk for message in OutboundMessage.objects.all()]) == 0
    assert states()[0][0] == "done"


def test_a_replayed_dead_letter_sends_the_reply_that_was_paid_for(
    staff: Client, dead: InboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    assert "1 message is worked on again" in act(staff, "inboundmessage", "replay", dead.pk)
    assert "0 messages are worked on again" in act(staff, "inboundmessage", "replay", dead.pk)
    work_until(model=model)

    assert channel.texts == ["Echo: Hello"] * 2
    assert len(model.history) == 1
    assert states() == [("done", "")]
    assert statuses() == ["sent"]
    assert recovery.replay([dead.pk]) == 0, "it is no dead letter any more"


def test_a_replay_whose_reply_is_gone_is_answered_anew(
    dead: InboundMessage, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    OutboundMessage.objects.update(text="")
    assert recovery.replay([dead.pk]) == 1
    work_until(model=model)

    assert len(model.history) == 2
    assert states() == [("done", "")]
    assert statuses() == ["sent"]


def test_a_message_that_was_given_up_is_answered_anew_not_told_again_that_it_failed(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1"), event("m2", text="and this")])
    InboundMessage.objects.update(attempts=8)
    work_until(model=model)
    assert states() == [("dead", "INTERNAL_ERROR")] * 2

    assert recovery.replay([InboundMessage.objects.latest("id").pk]) == 2, "one turn, both its messages"
    work_until(model=model)

    assert channel.texts == ["Something went wrong on my side. Please try again in a moment.", "Echo: Hello\nand this"]
    assert states() == [("done", "")] * 2


def test_telling_that_it_failed_may_fail_as_well_and_the_reason_stays(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue(REFUSED)
    accept.accept(bot, [event("m1")])
    InboundMessage.objects.update(attempts=8)
    work_until(model=model)
    assert states() == [("dead", "INTERNAL_ERROR")]

    recovery.replay([InboundMessage.objects.get().pk])
    work_until(model=model)
    assert channel.texts[1:] == ["Echo: Hello"]


def test_a_dead_letter_that_never_got_a_reply_is_replayed_before_what_came_later(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    old = InboundFactory.create(bot_id=bot.id, state="dead", error_code="INTERNAL_ERROR", attempts=10)
    accept.accept(bot, [event("m2", text="later")])
    assert recovery.replay([old.pk]) == 1
    work_until(model=model)

    assert channel.texts == ["Echo: Hello\nlater"]


def test_staff_without_the_permission_cannot_act(client: Client, alice: User, dead: InboundMessage) -> None:
    client.force_login(User.objects.create_user(BOB, is_staff=True))
    act(client, "inboundmessage", "replay", dead.pk)
    assert InboundMessage.objects.get().state == "dead"
