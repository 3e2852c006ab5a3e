"""A message comes in, an answer goes out: turns run by a real worker with a scripted model and channel."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bot.ai.base import Completion, CompletionRequest, EmptyCompletion
from bot.errors import AppError, ErrorCode
from bot.models import InboundMessage, Lease, OutboundMessage
from bot.pipeline.services import Services
from bot.pipeline.stages import completion
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, nothing_pending, states, work_until
from conversations.models import Message
from usage.models import UsageRecord
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
    pytest.mark.promise("dead letters"),
]


def test_a_whitelisted_persons_message_is_answered_remembered_and_accounted_for(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    model.enqueue("Hello Alice")
    accept.accept(bot, [event(text="Hi")])

    work_until(model=model)

    assert channel.texts == ["Hello Alice"]
    assert channel.typing == [], "it was answered at once"
    assert [(m.role, m.content) for m in model.history[0].messages] == [("system", "Be kind."), ("user", "Hi")]
    inbound, outbound, usage = InboundMessage.objects.get(), OutboundMessage.objects.get(), UsageRecord.objects.get()
    assert (inbound.state, inbound.payload, inbound.turn_key) == ("done", {}, inbound.pk)
    assert (outbound.status, outbound.external_id) == ("sent", f"scripted-{outbound.pk}")
    assert (outbound.turn_key, outbound.part, outbound.attempts) == (inbound.pk, 1, 1)
    assert (usage.user, usage.bot, usage.turn_key) == (alice, "shop", inbound.pk)
    assert (usage.input_tokens, usage.output_tokens, usage.cost_micros) == (100, 20, 0)  # the demo provider is free
    assert [(m.role, m.content) for m in Message.objects.order_by("id")] == [
        ("user", "Hi"),
        ("assistant", "Hello Alice"),
    ]
    lease = Lease.objects.get()
    assert (lease.worker, lease.expires_at <= timezone.now()) == ("", True)


def test_the_model_is_shown_the_conversation_and_never_another_persons(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    whitelisted(BOB)
    for number, (address, text) in enumerate([(ALICE, "My name is Alice"), (BOB, "I am Bob"), (ALICE, "Who am I?")]):
        accept.accept(bot, [event(f"m{number}", address=address, text=text)])
        work_until(model=model)

    shown = [message.content for message in model.history[-1].messages]
    assert shown == ["Be kind.", "My name is Alice", "Echo: My name is Alice", "Who am I?"]


def test_a_model_that_takes_its_time_is_announced_once_with_the_last_message(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    async def slowly(request: CompletionRequest) -> str:
        while not channel.typing:
            await asyncio.sleep(0.01)
        assert not channel.sent
        return "done"

    model.enqueue(slowly)
    accept.accept(bot, [event("m1"), event("m2")])
    work_until(model=model)

    assert channel.typing == ["m2"]
    assert channel.texts == ["done"]


def test_signs_of_typing_take_no_more_than_their_share_of_the_connections(
    monkeypatch: pytest.MonkeyPatch, alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    monkeypatch.setattr(completion, "MOST_SIGNS", 0)
    monkeypatch.setattr(completion, "TYPING_AFTER_SECONDS", 0)
    begun: list[str] = []
    begin = completion.begin_typing

    def noting(turn: Turn, services: Services) -> None:
        begun.append(turn.messages[-1].external_id)
        begin(turn, services)

    async def slowly(request: CompletionRequest) -> str:
        while not begun:
            await asyncio.sleep(0.01)
        return "done"

    monkeypatch.setattr(completion, "begin_typing", noting)
    model.enqueue(slowly)
    accept.accept(bot, [event("m1")])
    work_until(model=model)

    assert (begun, channel.typing, channel.texts) == (["m1"], [], ["done"])


def test_a_redelivered_message_is_not_answered_again(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    for _ in range(2):
        accept.accept(bot, [event()])
        work_until(model=model)

    assert len(channel.sent) == len(model.history) == 1


def test_a_slow_chat_does_not_hold_up_another(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    whitelisted(BOB)

    async def until_bob_has_his(request: CompletionRequest) -> str:
        while not channel.sent:
            await asyncio.sleep(0.01)
        return "slow"

    # For Alice's question, whichever of the two the model is asked first.
    model.answer("hard", until_bob_has_his)
    accept.accept(bot, [event("m1", text="hard")])
    accept.accept(bot, [event("m2", address=BOB, text="quick")])

    work_until(model=model)

    assert channel.texts == ["Echo: quick", "slow"]


def test_a_model_that_fails_costs_the_person_one_sentence_and_is_not_remembered(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    model.enqueue(AppError(ErrorCode.OPENAI_API_ERROR, "status 500", context={"status": 500}))
    accept.accept(bot, [event(text="secret words")])
    work_until(model=model)

    assert channel.texts == ["I'm having trouble connecting to my AI service. Please try again in a moment."]
    assert states() == [("done", "OPENAI_API_ERROR")]
    assert not Message.objects.exists()
    assert not UsageRecord.objects.exists()
    failures = [vars(record) for record in caplog.records if record.message == "turn_failed"]
    assert [failure["code"] for failure in failures] == ["OPENAI_API_ERROR"]
    assert "secret words" not in caplog.text


def test_an_empty_answer_is_accounted_for_as_it_is_billed(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    billed = Completion(text="", model="gpt-6-luna", input_tokens=50, output_tokens=1_024)
    model.enqueue(EmptyCompletion(billed, "the cap was used up", "empty_length", retryable=False))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert channel.texts == ["I'm having trouble connecting to my AI service. Please try again in a moment."]
    assert UsageRecord.objects.get().output_tokens == 1_024
    assert not Message.objects.exists()


def test_an_unexpected_failure_is_tried_again_and_the_last_time_the_person_is_told(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.answering.backoff", lambda attempts: timedelta())
    model.enqueue(*[RuntimeError("a bug")] * 3)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    assert channel.texts == ["Echo: Hello"]
    assert len(model.history) == 4

    model.enqueue(*[RuntimeError("a bug")] * 100)
    accept.accept(bot, [event("m2")])
    work_until(model=model)

    assert len(model.history) == 4 + 8
    assert channel.texts[-1] == "Something went wrong on my side. Please try again in a moment."
    assert states()[-1] == ("dead", "INTERNAL_ERROR")


def test_a_message_that_kills_its_worker_every_time_is_a_dead_letter(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1")])
    InboundMessage.objects.update(attempts=8)
    accept.accept(bot, [event("m2", text="and me?")])

    work_until(model=model)

    assert states() == [("dead", "INTERNAL_ERROR"), ("done", "")]
    assert channel.texts == ["Something went wrong on my side. Please try again in a moment.", "Echo: and me?"]
    assert [request.messages[-1].content for request in model.history] == ["and me?"]


def test_a_message_that_kills_its_worker_even_while_its_person_is_told_is_left_in_peace(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1")])
    InboundMessage.objects.update(attempts=9)

    work_until(model=model)

    assert states() == [("dead", "INTERNAL_ERROR")]
    assert not channel.sent


def test_the_commands_cost_no_model_call(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    for number, text in enumerate(["Hi", "/help", "/USAGE", "/reset", "/usgae thing", "/qqq", "/etc/passwd?"]):
        accept.accept(bot, [event(f"m{number}", text=text)])
        work_until(model=model)

    assert [request.messages[-1].content for request in model.history] == ["Hi", "/etc/passwd?"]
    assert all(word in channel.texts[1] for word in ("/help", "/reset", "/usage"))
    assert channel.texts[2] == "Today: 1 answer, 120 tokens, $0.00\nLast 30 days: 1 answer, 120 tokens, $0.00"
    assert channel.texts[3] == "Done. I have forgotten our conversation."
    assert channel.texts[4] == "I don't know /usgae. Did you mean /usage? /help lists all I know."
    assert channel.texts[5] == "I don't know /qqq. /help lists all I know."
    assert [m.content for m in model.history[1].messages] == ["Be kind.", "/etc/passwd?"]


def test_a_command_in_a_burst_is_a_turn_of_its_own(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event(f"m{n}", text=text) for n, text in enumerate(["a", "b", "/reset", "c"])])
    work_until(model=model)
    assert channel.texts == ["Echo: a\nb", "Done. I have forgotten our conversation.", "Echo: c"]


@pytest.mark.django_db(transaction=True)  # (What it puts in comes from a thread of its own.)
def test_over_the_rate_limit_a_person_is_told_once_and_the_model_is_not_asked(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_USER = 2
    settings.REDIS_URL = None
    from bot.worker.worker import Worker

    def all_in_one_process() -> None:
        asyncio.run(feed())

    async def feed() -> None:
        worker = Worker(10, model_factory=lambda: model)
        running = asyncio.create_task(worker.run())
        for number in range(5):
            await asyncio.to_thread(put, number)
            while not await asyncio.to_thread(settled):
                await asyncio.sleep(0.02)
        worker.stop()
        await running

    def put(number: int) -> None:
        accept.accept(bot, [event(f"m{number}", text=str(number))])

    def settled() -> bool:
        from django.db import connection

        done = nothing_pending()
        connection.close()
        return done

    all_in_one_process()

    assert channel.texts[:2] == ["Echo: 0", "Echo: 1"]
    assert re.fullmatch(r"You've reached the message limit\. Please wait (60|5\d) seconds\.", channel.texts[2])
    assert len(channel.texts) == 3
    assert states()[2:] == [("done", "RATE_LIMIT_EXCEEDED")] * 3


def test_a_bot_that_is_not_active_keeps_its_messages_for_later(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event()])
    InboundMessage.objects.get().bot.__class__.objects.update(is_active=False)
    assert not InboundMessage.objects.waiting_chats(timezone.now(), 1)
