"""A conversation is read as a chat: what was said, what it cost, whether it arrived; by owners only, and noted."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.history.talking import State, conversation, page_of, read, turn
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from conversations.models import Conversation, Message
from usage.models import UsageRecord
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.OWNER, phone_number=BOB))
    return client


@pytest.fixture
def talk(turns_db: None) -> Conversation:
    return conversation(whitelisted(ALICE, name="Alice"), BotFactory.create(slug="shop", name="The shop"))


def test_times_and_days_are_those_of_the_operators_zone(owner: Client, talk: Conversation, settings: Any) -> None:
    turn(talk, 11 * 60 + 30, "read")  # 23:30 UTC
    settings.TIME_ZONE = "Europe/Berlin"
    assert ">00:30<" in page_of(owner, talk)
    assert "March 2, 2026" in page_of(owner, talk)


def test_each_part_of_an_answer_has_its_tick(owner: Client, talk: Conversation) -> None:
    turn(talk, 1, "delivered", "uncertain", "failed", doubt="INTERRUPTED")
    parts = read(talk).said[1].parts
    assert [(part.part, part.status) for part in parts] == [(1, "delivered"), (2, "uncertain"), (3, "failed")]
    html = page_of(owner, talk)
    assert "the worker was stopped while it was sending" in html
    for part in parts:
        assert reverse("admin:bot_outboundmessage_change", args=[part.id]) in html


def test_what_a_worker_stored_is_what_is_shown(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    """Turns of all kinds, close together: answers get their own, not that of a command or an apology."""
    trouble = AppError(ErrorCode.OPENAI_API_ERROR, "down")
    model.enqueue("First answer", trouble, "x" * 4_096 + " rest", "Never arrives")
    channel.enqueue(None, None, None, None, None, SendError("timeout", uncertain=True))
    for number, text in enumerate(("one", "/help", "no answer", "two", "three")):
        accept.accept(bot, [event(f"m{number}", text=text)])
        work_until(model=model)
    keys = dict(InboundMessage.objects.values_list("external_id", "pk"))
    shown = read(Conversation.objects.get()).said
    assert [(one.text, one.inbound_id) for one in shown if one.mine] == [
        ("one", keys["m0"]),
        ("two", keys["m3"]),
        ("three", keys["m4"]),
    ]
    assert [(one.text[:5], [part.status for part in one.parts]) for one in shown if not one.mine] == [
        ("First", ["sent"]),
        ("xxxxx", ["sent", "sent"]),
        ("Never", ["uncertain"]),
    ]
    for one in shown:
        of = {OutboundMessage.objects.get(pk=part.id).turn_key for part in one.parts}
        texts = "".join(OutboundMessage.objects.filter(turn_key__in=of).order_by("part").values_list("text", flat=True))
        assert one.mine or "".join(texts.split()) == "".join(one.text.split())


def test_what_waits_and_what_could_not_be_answered_is_there_too(owner: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    bot = Bot.objects.get()
    InboundFactory.create(bot=bot, payload={"text": "Are you there?"})
    gone = InboundFactory.create(bot=bot, payload={"text": "Hello?"}, state=State.DEAD, error_code="INTERNAL_ERROR")
    InboundMessage.objects.filter(pk=gone.pk).update(turn_key=gone.pk)  # its apology was stored
    InboundFactory.create(bot=bot, address=STRANGER, payload={"text": "Somebody else's"})
    InboundFactory.create(bot=BotFactory.create(slug="other"), payload={"text": "Another bot's"})
    notes = {one.text: one.note for one in read(talk).said if one.note}
    assert notes == {"Are you there?": "waits for an answer", "Hello?": "could not be answered"}
    html = page_of(owner, talk)
    assert "could not be answered" in html and reverse("admin:bot_inboundmessage_change", args=[gone.pk]) in html


def test_the_person_of_a_conversation_is_found_by_any_of_their_addresses(talk: Conversation) -> None:
    bot = Bot.objects.get()
    talk.user.identities.create(channel="console", address="US.1349")
    InboundFactory.create(bot=bot, address="US.1349", payload={"text": "It's me"})
    assert [one.text for one in read(talk).said] == ["It's me"]


def test_a_text_is_text_and_never_markup(owner: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    Message.objects.update(content="<script>alert(1)</script>")
    html = page_of(owner, talk)
    assert "<script>alert(1)" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_long_conversations_come_in_pages_without_a_gap(owner: Client, talk: Conversation) -> None:
    for number in range(1, 6):
        turn(talk, number, "read")
    texts: list[str] = []
    before, pages = None, 0
    while True:
        page = read(talk, most=4, before=before)
        texts = [one.text for one in page.said] + texts
        pages += 1
        assert (page.first_at, page.last_at) == (read(talk).first_at, read(talk).last_at)
        if page.older is None:
            break
        before = page.older
    assert pages == 3
    assert texts == [f"{word} {number}" for number in range(1, 6) for word in ("Question", "Answer")]


def test_an_answer_never_gets_what_another_one_cost(talk: Conversation) -> None:
    parts = [turn(talk, number, "read", cost=number) for number in range(1, 4)]
    last = read(talk, most=2).said[-1]
    assert [part.id for part in last.parts] == [parts[2].pk] and last.cost.endswith("$0.000003")
    UsageRecord.objects.filter(turn_key=parts[2].turn_key).delete()
    last = read(talk, most=2).said[-1]
    assert (last.text, last.cost, list(last.parts)) == ("Answer 3", "", [])
    first, second, _ = (one for one in read(talk).said if not one.mine)
    assert (first.cost[-9:], second.cost[-9:]) == ("$0.000001", "$0.000002")


def test_what_was_remembered_before_turns_were_noted_is_shown_alone(talk: Conversation) -> None:
    turn(talk, 1, "read")
    Message.objects.update(turn_key=None)
    question, answer = read(talk).said
    assert (question.text, question.inbound_id) == ("Question 1", 0)
    assert (answer.text, answer.cost, answer.took, list(answer.parts)) == ("Answer 1", "", "", [])


def test_what_is_kept_no_longer_is_said_so(owner: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    OutboundMessage.objects.all().delete()
    InboundMessage.objects.all().delete()
    html = page_of(owner, talk)
    assert "Answer 1" in html and "$0.00125" in html and "no longer known whether it arrived" in html


def test_what_has_expired_is_not_shown_any_more(owner: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    Conversation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    html = page_of(owner, talk)
    assert "Question 1" not in html and "has been forgotten" in html


def test_a_conversation_that_began_anew_says_so(owner: Client, talk: Conversation) -> None:
    assert "Nothing is remembered" in page_of(owner, talk)
