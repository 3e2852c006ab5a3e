"""What a model's server refuses is mended, or told to the person by its kind and to the operator in its own words."""

import logging
from typing import Any

import pytest

from bot.ai.base import Completion, EmptyCompletion, RefusalKind, RefusedRequest
from bot.ai.breaker import CircuitBreaker
from bot.errors import AppError, ErrorCode
from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.reasons import REASONS
from bot.tests.support.factories import BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.tests.support.strict_servers import StrictServer
from bot.worker.worker import Worker
from conversations.models import Conversation, Message
from conversations.tests.factories import add_messages
from usage.models import DailySpend, Reservation, UsageRecord
from users.models import User

pytestmark = pytest.mark.usefixtures("turns_db")


def write(bot: ActiveBot, server: StrictServer, *texts: str) -> None:
    """Let a worker with a server of its own answer each text in a turn of its own."""
    worker = Worker(10, model_factory=lambda: CircuitBreaker(server.model()))
    for number, text in enumerate(texts):
        accept.accept(bot, [event(f"m{number}-{len(server.bodies)}", text=text)])
        work_until(worker=worker)
        worker = Worker(10, model_factory=lambda: CircuitBreaker(server.model()))


def test_a_long_text_and_a_longer_one_do_not_ask_with_half_an_exchange(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, settings: Any
) -> None:
    settings.MAX_MODEL_TOKENS = 8_000
    server = StrictServer(template="alternate")
    write(bot, server, "a" * 15_000, "b" * 12_000, "hello")
    assert server.statuses == [200, 200, 200]
    assert [it["role"] for it in server.bodies[1]["messages"]] == ["system", "user"]
    assert channel.texts[-1] == "Well, hello"


def test_what_is_remembered_up_to_an_odd_limit_is_shown_from_a_users_message_on(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.senders.HISTORY_MESSAGES", 3)
    server = StrictServer(template="alternate")
    write(bot, server, "one", "two", "three")
    assert [it["content"] for it in server.bodies[-1]["messages"]] == ["Be kind.", "two", "Well, two", "three"]


def test_what_a_failed_turn_or_staff_left_in_a_conversation_is_joined_and_only_the_new_text_is_remembered(
    alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    conversation = Conversation.objects.find_or_create(alice, bot.slug)
    add_messages(conversation, [("assistant", "Hello!"), ("user", "Are you there?")])
    server = StrictServer(template="alternate")
    write(bot, server, "Anybody?")
    assert server.bodies[0]["messages"][1:] == [{"role": "user", "content": "Are you there?\n\nAnybody?"}]
    remembered = list(Message.objects.order_by("id").values_list("content", flat=True))
    assert remembered == ["Hello!", "Are you there?", "Anybody?", "Well, Anybody?"]


def test_a_conversation_beyond_the_servers_context_is_answered_with_less_of_it_and_billed_once(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DAILY_BUDGET_MICROS, settings.MAX_REPLY_TOKENS = 10_000_000, 256
    server = StrictServer(2_048)
    write(bot, server, *["some words " * 150] * 4, "hello")
    assert channel.texts[-1] == "Well, hello"
    assert all(text.startswith("Well, ") for text in channel.texts)
    assert server.statuses.count(200) == UsageRecord.objects.count() == 5
    assert len(server.bodies) > 5
    assert not Reservation.objects.exists()
    assert not DailySpend.objects.exclude(reserved_micros=0).exists()
    noted = [record for record in caplog.records if record.message == "model_context_exceeded"]
    assert len(noted) == len(server.bodies) - 5
    assert {record.__dict__["window"] for record in noted} == {2_048}


@pytest.mark.parametrize(
    ("kind", "code", "says"),
    [
        (RefusalKind.TOO_LONG, ErrorCode.MESSAGE_TOO_LONG, "Please send me less text"),
        (RefusalKind.FILTERED, ErrorCode.REQUEST_REFUSED, "put it in other words, or send /reset"),
        (RefusalKind.OTHER, ErrorCode.REQUEST_REFUSED, "put it in other words, or send /reset"),
    ],
)
def test_a_person_is_told_by_the_kind_of_the_refusal_and_the_operator_in_the_providers_words(
    alice: User,
    bot: ActiveBot,
    channel: ScriptedChannel,
    model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
    kind: RefusalKind,
    code: ErrorCode,
    says: str,
) -> None:
    context = {"status": 400, "code": "a_code", "provider_words": "Bad request", "provider_request_id": "req_1"}
    model.enqueue(RefusedRequest(kind, "the model API answered with HTTP 400", context))
    accept.accept(bot, [event(text="A long enough text of mine")])
    work_until(model=model)

    assert len(channel.texts) == 1
    assert says in channel.texts[0]
    assert InboundMessage.objects.get().error_code == code
    assert code in REASONS
    (failed,) = [record for record in caplog.records if record.message == "turn_failed"]
    shown = failed.__dict__
    assert (shown["provider_code"], shown["provider_words"], shown["refusal"]) == ("a_code", "Bad request", kind)
    assert failed.levelno == (logging.INFO if code == ErrorCode.MESSAGE_TOO_LONG else logging.ERROR)


def test_a_conversation_that_does_not_fit_even_with_less_history_is_told_to_reset_and_goes_on_after_it(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    conversation = Conversation.objects.find_or_create(alice, bot.slug)
    for _ in range(9):
        add_messages(conversation, [("user", "one " * 50), ("assistant", "two " * 50)])
    refused = RefusedRequest(RefusalKind.TOO_LONG, "", {"status": 400})
    model.enqueue(refused, refused)
    for number, text in enumerate(["hello", "/reset", "hello"]):
        accept.accept(bot, [event(f"m{number}", text=text)])
        work_until(model=model)
    assert "/reset" in channel.texts[0]
    assert channel.texts[-1] == "Echo: hello"
    first, second, _third = (len(request.messages) for request in model.history)
    assert first > second > 1


@pytest.mark.parametrize(("output_tokens", "says"), [(3, "/reset"), (1_024, "trouble connecting")])
def test_an_answer_that_a_full_context_left_no_room_for_is_billed_and_told_to_reset(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, output_tokens: int, says: str
) -> None:
    billed = Completion("", "gpt-6-luna", 2_000, output_tokens)
    model.enqueue("Hi", EmptyCompletion(billed, "", "empty_length", retryable=False))
    for number in range(2):
        accept.accept(bot, [event(f"m{number}")])
        work_until(model=model)
    assert says in channel.texts[1]
    assert len(model.history) == UsageRecord.objects.count() == 2


def test_one_persons_request_that_the_server_fails_at_takes_the_model_from_nobody(
    alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    whitelisted(BOB)
    model = ScriptedModel()
    model.answer("Poison", AppError(ErrorCode.OPENAI_API_ERROR, retryable=True, context={"status": 500}))
    breaker = CircuitBreaker(model)
    for number in range(6):
        accept.accept(bot, [event(f"m{number}", text="Poison")])
        work_until(model=breaker)
    accept.accept(bot, [event("other", address=BOB, text="Hello")])
    work_until(model=breaker)
    assert channel.texts[-1] == "Echo: Hello"
    assert len(model.history) == 7
