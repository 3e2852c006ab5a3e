"""A conversation is read as a chat: what was said, what it cost, whether it arrived; by owners only, and noted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.history.transcript import Transcript, transcript_of
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from conversations.models import Conversation, Message
from usage.models import UsageRecord
from users.models import AuditEntry, User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
State, Status = InboundMessage.State, OutboundMessage.Status


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.OWNER, phone_number=BOB))
    return client


def conversation(person: User, bot: Bot) -> Conversation:
    expires = timezone.now() + timedelta(days=1)
    return Conversation.objects.create(user=person, bot=bot.slug, created_at=NOON, expires_at=expires)


def turn(
    talk: Conversation, number: int, *statuses: str, code: str = "", doubt: str = "", cost: int | None = 1_250
) -> OutboundMessage:
    """Store a turn as a worker leaves it: the message, its call, the parts of its reply, what is remembered."""
    bot = Bot.objects.get(slug=talk.bot)
    received = NOON + timedelta(minutes=number)
    stored = received + timedelta(seconds=3)
    first = InboundFactory.create(
        bot=bot, external_id=f"in-{number}", state=State.DONE, payload={}, received_at=received, error_code=code
    )
    InboundMessage.objects.filter(pk=first.pk).update(turn_key=first.pk)
    UsageRecord.objects.create(
        user=talk.user, bot=talk.bot, model="gpt-6-luna", model_answered="gpt-6-luna-2026", input_tokens=1_200,
        output_tokens=34, cost_micros=cost, turn_key=first.pk, created_at=stored - timedelta(milliseconds=5),
    )  # fmt: skip
    parts = [
        OutboundMessage.objects.create(
            bot=bot,
            address=ALICE,
            turn_key=first.pk,
            part=place,
            status=status,
            created_at=stored,
            error_code=code if status in OutboundMessage.PROBLEMS else "",
            doubt=doubt if status in OutboundMessage.PROBLEMS else "",
            sent_at=stored + timedelta(seconds=1) if status in ("sent", "delivered", "read") else None,
        )
        for place, status in enumerate(statuses, start=1)
    ]
    for role, said in (("user", f"Question {number}"), ("assistant", f"Answer {number}")):
        Message.objects.create(
            conversation=talk,
            role=role,
            content=said,
            created_at=stored + timedelta(milliseconds=2),
            turn_key=first.pk,
        )
    return parts[0]


def page_of(client: Client, talk: Conversation, **query: Any) -> str:
    response = client.get(reverse("admin:conversations_conversation_change", args=[talk.pk]), query)
    assert response.status_code == 200
    return response.content.decode()


def read(talk: Conversation, most: int = 100, before: int | None = None) -> Transcript:
    return transcript_of(talk, Bot.objects.filter(slug=talk.bot).first(), most, before)


@pytest.fixture
def talk(turns_db: None) -> Conversation:
    return conversation(whitelisted(ALICE, name="Alice"), BotFactory.create(slug="shop", name="The shop"))


@pytest.mark.parametrize(
    ("status", "tick", "words"),
    [
        ("queued", "○", "queued"),
        ("sending", "○", "sending"),
        ("sent", "✓", "sent"),
        ("delivered", "✓✓", "delivered"),
        ("read", "✓✓", "read"),
        ("failed", "✕", "failed"),
        ("uncertain", "?", "uncertain"),
        ("expired", "✕", "expired"),
    ],
)
def test_each_status_has_its_tick_and_says_so(
    owner: Client, talk: Conversation, status: str, tick: str, words: str
) -> None:
    turn(talk, 1, status, doubt="timeout")
    html = page_of(owner, talk)
    assert f'class="chat-tick {status}"' in html
    assert f'aria-hidden="true">{tick}</span>' in html
    assert f'desk-sr">{words}</span>' in html
    assert ("the provider did not answer in time" in html) == (status in ("failed", "uncertain", "expired"))


def test_an_answer_has_its_model_its_tokens_its_cost_and_its_time(owner: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    turn(talk, 2, "sent", cost=None)
    question, answer, _, unpriced = read(talk).said
    assert (question.mine, question.text, question.at) == (True, "Question 1", NOON + timedelta(minutes=1))
    assert (answer.mine, answer.text) == (False, "Answer 1")
    assert answer.cost == "gpt-6-luna-2026 · 1,200 + 34 tokens · $0.00125"
    assert answer.took == "4.00 s"
    assert unpriced.cost.endswith("price unknown")
    totals = read(talk).totals
    assert (totals.tokens, totals.cost, totals.unpriced) == ("2,400 + 68", "$0.00125", 1)
    html = page_of(owner, talk)
    assert "gpt-6-luna-2026 · 1,200 + 34 tokens · $0.00125" in html
    assert "and 1 call without a known price" in html


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


def test_older_messages_are_a_link_away(owner: Client, talk: Conversation) -> None:
    for number in range(1, 52):
        turn(talk, number, "read")
    newest = page_of(owner, talk)
    first_shown = Message.objects.order_by("-pk")[99]
    assert f'href="?before={first_shown.pk}"' in newest and ">Question 1<" not in newest
    older = page_of(owner, talk, before=first_shown.pk)
    assert ">Question 1<" in older and ">Question 51<" not in older and "Older messages" not in older
    assert ">Question 51<" in page_of(owner, talk, before="nonsense")


@pytest.mark.parametrize("turns", [1, 30])
def test_a_page_takes_the_same_queries_however_much_was_said(owner: Client, talk: Conversation, turns: int) -> None:
    for number in range(turns):
        turn(talk, number, "read", "failed", code="CHANNEL_ERROR:131026")
    InboundFactory.create(bot=Bot.objects.get(), payload={"text": "Are you there?"})
    with CaptureQueriesContext(connection) as captured:
        read(talk)
    # the bot, channels; messages, calls, parts, first messages; addresses, what waits or is dead; first and last one
    assert len(captured) == 11, [query["sql"] for query in captured]
    page_of(owner, talk)
    with CaptureQueriesContext(connection) as captured:
        page_of(owner, talk)
    assert len(captured) == 17, [query["sql"] for query in captured]


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


def test_a_transcript_leads_to_all_around_it(owner: Client, talk: Conversation) -> None:
    html = page_of(owner, talk)
    bot = Bot.objects.get()
    for place in (
        reverse("admin:users_user_change", args=[talk.user_id]),
        reverse("admin:bot_bot_change", args=[bot.pk]),
        reverse("admin:bot_inboundmessage_changelist") + f"?person={talk.user_id}&amp;bot__id__exact={bot.pk}",
        reverse("admin:bot_outboundmessage_changelist") + f"?person={talk.user_id}&amp;bot__id__exact={bot.pk}",
        reverse("admin:conversations_conversation_delete", args=[talk.pk]),
        reverse("simulator:chat"),
    ):
        assert f'href="{place}' in html
    Bot.objects.update(channel="whatsapp")
    assert f"{reverse('simulator:chat')}?bot=" not in page_of(owner, talk)
    Bot.objects.all().delete()
    assert "shop" in page_of(owner, talk)


def test_owners_only_may_read_and_each_reading_is_noted(client: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    url = reverse("admin:conversations_conversation_change", args=[talk.pk])
    assert client.get(url).status_code == 302
    for role, status in ((Role.USER, 302), (Role.ADMIN, 403)):
        client.force_login(UserFactory.create(role=role))
        response = client.get(url)
        assert response.status_code == status and b"Question 1" not in response.content
        assert client.get(reverse("admin:conversations_conversation_changelist")).status_code == status
    assert not AuditEntry.objects.exists()
    owner = UserFactory.create(role=Role.OWNER)
    client.force_login(owner)
    page_of(client, talk)
    page_of(client, talk, before=Message.objects.latest("pk").pk)
    entries = AuditEntry.objects.values_list("action", "actor", "subject", "details")
    assert list(entries) == [("read", owner.pk, talk.user_id, {"conversation": talk.pk})] * 2


def test_the_list_has_who_spoke_last_first_and_is_found_by_name_number_address_and_bot(
    owner: Client, talk: Conversation
) -> None:
    talk.user.identities.create(channel="telegram", address="700123")
    other = conversation(UserFactory.create(name="Zoe"), BotFactory.create(slug="help", name="Help desk"))
    Conversation.objects.filter(pk=talk.pk).update(expires_at=timezone.now() + timedelta(days=3))
    url = reverse("admin:conversations_conversation_changelist")

    def found(**query: str) -> list[Conversation]:
        return list(owner.get(url, query).context["cl"].result_list)

    assert found() == [talk, other]
    for term in ("alic", "0049 151 12345678", "700123", "SHOP", "the shop"):
        assert found(q=term) == [talk], term
    assert found(q="nobody") == []
    assert found(bot="help") == [other]
    assert "Help desk" in owner.get(url).content.decode()
