"""/privacy and /export in a chat: for everybody, whole, nobody else's, and no more often than a few times an hour."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.channels.documents import MOST_TEXTS
from bot.models import AccessRequest, OutboundMessage
from bot.pipeline.commands import export
from bot.pipeline.commands.registry import COMMANDS
from bot.queue.snapshot import ActiveBot
from bot.tests.pipeline.commands.exporting import exported, files, say
from bot.tests.privacy.export.test_document import many_messages
from bot.tests.support.factories import ALICE, STRANGER, BotFactory
from bot.tests.support.fakes import ScriptedChannel, states
from conversations.models import Conversation
from conversations.tests.factories import add_messages
from users.models import AuditEntry, User

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., str]
REFUSAL = "Hello! I only answer people who were invited. Please ask the owner for access."
FOLLOWS = "Here is everything that is held about you, as two files: one to read, and one for programs."
TOO_MUCH = "More is held about you than I can send here. Please ask the operator, who can give it to you."


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any) -> None:
    settings.REDIS_URL = None


def test_export_is_a_sentence_and_two_files(alice: User, ask: Ask, channel: ScriptedChannel) -> None:
    ask("What time is it?")
    ask("/export")
    said, text, data = channel.sent[1:]
    assert (said.text, said.filename) == (FOLLOWS, "")
    assert (text.filename, data.filename) == ("parley-data.txt", "parley-data.json.txt")
    held = exported(channel)
    assert held["person"][0]["phone_number"] == ALICE
    (conversation,) = held["conversations"]
    assert [message["content"] for message in conversation["messages"]] == [
        "What time is it?",
        "Echo: What time is it?",
    ]
    assert "What time is it?" in text.text
    assert [(row["kind"], row["content"]) for row in held["received"]] == [("text", {}), ("text", {"text": "/export"})]
    assert [row["status"] for row in held["sent"]] == ["sent"]
    assert states() == [("done", "")] * 2
    assert list(OutboundMessage.objects.order_by("id").values_list("filename", flat=True)[1:]) == [
        "",
        "parley-data.txt",
        "parley-data.json.txt",
    ]


def test_the_files_are_no_part_of_the_next_export(alice: User, ask: Ask, channel: ScriptedChannel) -> None:
    ask("/export")
    first = len(files(channel)["parley-data.txt"])
    ask("/export")
    second = files(channel)["parley-data.txt"]
    assert "file name: parley-data.txt" in second
    assert len(second) < first + 3_000


def test_privacy_says_what_is_held_for_how_long_and_what_one_can_do(alice: User, ask: Ask, settings: Any) -> None:
    settings.CONVERSATION_TTL_DAYS, settings.USAGE_RETENTION_DAYS = 1, 365
    said = ask("/privacy")
    for words in ("until 1 day after", "365 days", "AI model", "/export", "/forget"):
        assert words in said


def test_it_is_in_the_language_of_the_bot_in_the_thread_apart(
    alice: User, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str | None] = []
    collect = export.collect

    def listening(turn: Any) -> Any:
        from django.utils.translation import get_language

        spoken.append(get_language())
        return collect(turn)

    monkeypatch.setattr(export, "collect", listening)
    say(BotFactory.active(language="de"), "/export", address=ALICE)
    assert spoken == ["de"]


@pytest.mark.parametrize("command", ["/privacy", "/export", "/Export@shop_bot"])
def test_a_stranger_is_answered_and_asks_for_no_access_by_it(
    bot: ActiveBot, channel: ScriptedChannel, command: str
) -> None:
    say(bot, command)
    assert channel.texts[0] != REFUSAL
    assert channel.texts[0].startswith(("What I keep", FOLLOWS))
    assert not AccessRequest.objects.exists()
    assert not User.objects.exists()
    assert states() == [("done", "")]


def test_a_bot_that_tells_strangers_nothing_tells_them_this(channel: ScriptedChannel) -> None:
    say(BotFactory.active(tells_strangers=False), "/privacy")
    assert channel.texts[0].startswith("What I keep")


def test_a_stranger_gets_what_their_address_left_behind_and_nothing_of_others(
    bot: ActiveBot, channel: ScriptedChannel, alice: User
) -> None:
    say(bot, "Hello from Alice", address=ALICE)
    say(bot, "Let me in", profile_name="Stranger Sam")
    say(bot, "/export")
    held = exported(channel)
    assert held["person"] == []
    assert held["addresses"] == [{"channel": "console", "address": STRANGER}]
    assert [row["profile_name"] for row in held["access_requests"]] == ["Stranger Sam"]
    assert [row["content"] for row in held["received"]] == [{}, {"text": "/export"}]
    assert ALICE not in json.dumps(held)
    assert AccessRequest.objects.get().messages == 1


@pytest.mark.parametrize("text", ["/help", "/usage", "/exports", "please /export", "/reset"])
def test_anything_else_of_a_stranger_is_refused_as_ever(bot: ActiveBot, channel: ScriptedChannel, text: str) -> None:
    say(bot, text)
    assert channel.texts == [REFUSAL]


def test_each_export_is_noted_without_anything_of_the_person(alice: User, ask: Ask) -> None:
    ask("/export")
    ask("/export", sender=STRANGER)
    rows = list(AuditEntry.objects.order_by("pk").values_list("action", "subject", "actor", "via", "details"))
    asked = ((alice.pk, "+49…78"), (None, "+1…23"))
    expected: list[tuple[Any, ...]] = [
        ("exported", person, None, "chat", {"channel": "console", "from": address}) for person, address in asked
    ]
    assert rows == expected


def test_too_much_for_a_document_is_for_the_operator_and_nothing_half_is_sent(
    alice: User, ask: Ask, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.documents.LARGEST_DOCUMENT_BYTES", 500)
    assert ask("/export") == TOO_MUCH
    assert len(channel.sent) == 1
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("messages", "expected"), [(2_000, FOLLOWS), (6_000, TOO_MUCH)])
def test_a_long_conversation_is_given_whole_or_not_at_all(
    alice: User, ask: Ask, channel: ScriptedChannel, messages: int, expected: str
) -> None:
    many_messages(alice, messages)
    ask("/export")
    assert channel.texts[0] == expected
    if expected == FOLLOWS:
        assert len(exported(channel)["conversations"][0]["messages"]) == messages
    else:
        assert len(channel.sent) == 1


@pytest.fixture
def texts_only(channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch) -> ScriptedChannel:
    monkeypatch.setattr(ScriptedChannel, "max_document_bytes", 0)
    monkeypatch.setattr(ScriptedChannel, "max_text_length", 500)
    return channel


def test_without_documents_the_readable_one_follows_in_texts(
    alice: User, ask: Ask, texts_only: ScriptedChannel
) -> None:
    ask("/export")
    assert texts_only.texts[0] == "Here is everything that is held about you."
    assert not files(texts_only)
    assert 2 < len(texts_only.sent) <= MOST_TEXTS + 1
    assert ALICE in "".join(texts_only.texts[1:])
    assert "made_at" not in "".join(texts_only.texts)


def test_without_documents_too_many_texts_are_for_the_operator(
    alice: User, bot: ActiveBot, ask: Ask, texts_only: ScriptedChannel
) -> None:
    conversation = Conversation.objects.find_or_create(alice, bot.slug)
    add_messages(conversation, [("user", "word " * 90)] * MOST_TEXTS)
    assert ask("/export") == TOO_MUCH
    assert len(texts_only.sent) == 1


def test_only_what_is_declared_so_is_for_everybody() -> None:
    assert {name for name, command in COMMANDS.items() if command.for_everybody} == {"export", "forget", "privacy"}
