"""Documents of a reply: stored, sent in order, retried, emptied like texts; uploaded before anything is uncertain."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.channels.documents import MOST_TEXTS, Document, ReplyPart, fits, reply_parts
from bot.channels.events import StatusEvent
from bot.channels.sending import SendError
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.operations.purge import purge_expired
from bot.pipeline import runner
from bot.pipeline.services import Services
from bot.pipeline.stages.notice import notice
from bot.pipeline.turn import Turn
from bot.queue import accept, recovery
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, states, statuses, work_until
from users.models import User

pytestmark = pytest.mark.usefixtures("turns_db")

FILES = (Document("one.txt", "content of one"), Document("two.txt", "content of two"))
NO_FILE = "I could not send you the file one.txt. Please ask for it again later, or tell the owner."
BUSY = SendError("131016", retryable=True)
Ask = Callable[..., None]


@pytest.fixture
def deliver(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> Ask:
    """Let a turn answer with "Here:" and two files, and work until `condition`."""
    ran: list[int] = []

    async def with_files(turn: Turn, services: Services) -> None:
        ran.append(turn.key)
        assert turn.attach(*FILES)
        turn.end("Here:")

    def deliver(**options: Any) -> None:
        monkeypatch.setattr("bot.worker.delivery.backoff", lambda attempts: timedelta(milliseconds=10))
        monkeypatch.setattr(runner, "FOR_PEOPLE", (notice, with_files))
        accept.accept(bot, [event(sent_at=timezone.now())])
        work_until(model=model, **options)
        assert len(ran) <= 1, "the reply was stored: it is made once"

    return deliver


def sent(channel: ScriptedChannel) -> list[tuple[str, str, str]]:
    return [(message.text, message.filename, message.upload_id) for message in channel.sent]


def uploaded(channel: ScriptedChannel) -> list[str]:
    return [message.filename for message in channel.uploaded]


ALL_SENT = [("Here:", "", ""), ("content of one", "one.txt", "upload-1"), ("content of two", "two.txt", "upload-2")]


def test_documents_follow_the_text_in_order(deliver: Ask, channel: ScriptedChannel) -> None:
    deliver()
    assert sent(channel) == ALL_SENT
    assert statuses() == ["sent"] * 3
    rows = OutboundMessage.objects.order_by("part").values_list("part", "text", "filename")
    assert list(rows) == [(1, "Here:", ""), (2, "content of one", "one.txt"), (3, "content of two", "two.txt")]


def test_an_upload_that_fails_for_now_is_repeated_and_nothing_is_sent_twice(
    deliver: Ask, channel: ScriptedChannel
) -> None:
    channel.enqueue_uploads(BUSY, BUSY)
    deliver()
    assert uploaded(channel) == ["one.txt", "one.txt", "one.txt", "two.txt"]
    assert [text for text, _, _ in sent(channel)] == ["Here:", "content of one", "content of two"]
    assert (statuses(), states()) == (["sent"] * 3, [("done", "")])


def test_an_upload_that_is_refused_ends_the_turn_and_a_replay_sends_the_documents(
    deliver: Ask, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue_uploads(SendError("100"))
    deliver()
    assert statuses() == ["sent", "failed", "failed", "sent"]
    assert states() == [("dead", "CHANNEL_ERROR:100"), ("done", "")]

    recovery.replay([InboundMessage.objects.earliest("pk").pk])
    work_until(model=model)

    assert [text for text, _, _ in sent(channel)] == ["Here:", NO_FILE, "content of one", "content of two"]
    assert statuses() == ["sent"] * 4


@pytest.mark.parametrize("goes_wrong", ["upload", "send"])
def test_who_was_promised_files_is_told_once_that_one_could_not_be_sent(
    deliver: Ask, channel: ScriptedChannel, model: ScriptedModel, goes_wrong: str
) -> None:
    if goes_wrong == "upload":
        channel.enqueue_uploads(SendError("131053"), SendError("131053"))
    else:
        channel.enqueue(None, SendError("131053"))
    deliver()
    texts = [text for text, filename, _ in sent(channel) if not filename]
    assert texts == ["Here:", NO_FILE]
    assert channel.sent[-1].address == channel.sent[0].address

    if goes_wrong == "upload":
        recovery.replay([InboundMessage.objects.earliest("pk").pk])
        work_until(model=model)
        assert len([text for text, filename, _ in sent(channel) if not filename]) == 2


def test_an_upload_that_never_works_is_told_when_it_is_given_up(deliver: Ask, channel: ScriptedChannel) -> None:
    channel.enqueue_uploads(*[BUSY] * 20)
    deliver()
    assert [text for text, _, _ in sent(channel)] == ["Here:", NO_FILE]


def test_an_upload_with_a_refused_token_pauses_the_bot(deliver: Ask, channel: ScriptedChannel) -> None:
    channel.enqueue_uploads(SendError("190", credentials_refused=True))
    deliver(condition=lambda: Bot.objects.exclude(paused_at=None).exists())
    assert statuses() == ["sent", "queued", "queued"]
    assert len(channel.sent) == 1


def test_while_it_is_uploaded_a_document_is_still_queued(
    deliver: Ask, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    upload = ScriptedChannel.upload

    async def looking(self: ScriptedChannel, *arguments: Any) -> str:
        seen.append(await in_thread(statuses))
        return await upload(self, *arguments)

    monkeypatch.setattr(ScriptedChannel, "upload", looking)
    deliver()
    assert seen == [["sent", "queued", "queued"], ["sent", "sent", "queued"]]


def test_a_document_whose_end_nobody_knows_is_uncertain_and_the_next_one_waits_for_its_status(
    deliver: Ask, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue(None, SendError("timeout", uncertain=True))
    deliver()
    assert statuses() == ["sent", "uncertain", "failed"]
    assert uploaded(channel) == ["one.txt"]

    second = OutboundMessage.objects.get(part=2)
    accept.accept(bot, [StatusEvent("wamid.9", "delivered", outbound_id=second.pk)])
    work_until(model=model)

    assert uploaded(channel) == ["one.txt", "two.txt"]
    assert statuses() == ["sent", "delivered", "sent"]
    second.refresh_from_db()
    assert (second.text, second.filename) == ("", "one.txt"), "what arrived is not held any more"


def test_staff_send_an_uncertain_document_again(deliver: Ask, channel: ScriptedChannel, model: ScriptedModel) -> None:
    channel.enqueue(None, SendError("timeout", uncertain=True))
    deliver()
    assert recovery.send_again([OutboundMessage.objects.get(part=2).pk]) == 1
    work_until(model=model)
    assert uploaded(channel) == ["one.txt", "one.txt", "two.txt"]
    assert statuses() == ["sent"] * 3


def test_a_send_that_was_interrupted_is_uncertain_and_uploads_nothing(
    deliver: Ask, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue_uploads(SendError("100"))
    deliver()
    OutboundMessage.objects.filter(part=2).update(status="sending")
    InboundMessage.objects.filter(state="dead").reopen()
    work_until(model=model)
    assert uploaded(channel) == ["one.txt"]
    assert statuses() == ["sent", "uncertain", "failed", "sent"]


def test_a_document_whose_window_is_closed_is_not_uploaded(
    deliver: Ask, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedChannel, "reply_window", timedelta(microseconds=1))
    deliver()
    assert (channel.uploaded, channel.sent) == ([], [])
    assert statuses() == ["expired", "failed", "failed"]


def test_a_document_that_no_receipt_came_for_is_emptied_after_a_day(deliver: Ask) -> None:
    deliver()
    OutboundMessage.objects.update(created_at=timezone.now() - timedelta(days=1, hours=1))
    purge_expired()
    assert set(OutboundMessage.objects.values_list("text", flat=True)) == {""}


# --- who sees what ---


def test_staff_see_the_name_of_a_document_and_never_its_content(deliver: Ask, client: Client) -> None:
    deliver()
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    pages = [client.get(reverse("admin:bot_outboundmessage_changelist")).content.decode()]
    for row in OutboundMessage.objects.exclude(filename=""):
        pages.append(client.get(reverse("admin:bot_outboundmessage_change", args=[row.pk])).content.decode())
    assert all("one.txt" in page or "two.txt" in page for page in pages)
    assert not any("content of" in page for page in pages)
    text = OutboundMessage.objects.get(filename="")
    assert "Here:" in client.get(reverse("admin:bot_outboundmessage_change", args=[text.pk])).content.decode()


def test_a_trace_names_a_document_and_never_its_content(deliver: Ask) -> None:
    deliver()
    out = StringIO()
    call_command("trace", "wamid.1", stdout=out)
    assert out.getvalue().count("filename=one.txt") == 2  # (sending, sent)
    assert "content of" not in out.getvalue()


# --- channels that have none ---


class TextsOnly(ScriptedChannel):
    max_document_bytes = 0
    max_text_length = 10


def test_without_documents_their_content_is_texts() -> None:
    parts = reply_parts(TextsOnly(), "Here:", [Document("one.txt", "first line\nsecond")])
    assert parts == [ReplyPart("Here:"), ReplyPart("first line"), ReplyPart("second")]


@pytest.mark.parametrize(("texts", "expected"), [(MOST_TEXTS, True), (MOST_TEXTS + 1, False)])
def test_without_documents_there_is_a_limit_to_the_texts(texts: int, expected: bool) -> None:
    lines = "\n".join(["123456789"] * texts)
    assert fits(TextsOnly(), [Document("one.txt", lines)]) is expected
    # The limit counts messages, however little is in them.
    short = "\n\n".join(["123456"] * texts)
    assert fits(TextsOnly(), [Document("one.txt", short)]) is expected


@pytest.mark.parametrize(("text", "expected"), [("ä" * 5, True), ("ä" * 5 + "b", False)])
def test_a_documents_size_is_counted_in_bytes(
    text: str, expected: bool, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedChannel, "max_document_bytes", 10)
    assert fits(channel, [Document("one.txt", text)]) is expected
