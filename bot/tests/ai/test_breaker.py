"""An outage of the model costs seconds, not a deadline for every message."""

import asyncio
import logging
from dataclasses import replace

import pytest

from bot.ai import create_model
from bot.ai.base import ChatMessage, Completion, CompletionRequest, EmptyCompletion
from bot.ai.breaker import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, CircuitBreaker
from bot.errors import AppError, ErrorCode
from bot.tests.support.fakes import ScriptedModel

pytestmark = pytest.mark.promise("deadline")

REQUEST = CompletionRequest("gpt-6-luna", (ChatMessage("user", "Hi"),), 10, 60)


class Clock:
    """A monotonic clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("bot.ai.breaker.time", clock)
    return clock


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


def outage(status: int | None = None) -> AppError:
    return AppError(ErrorCode.OPENAI_API_ERROR, "down", retryable=True, context={"status": status})


def ask(breaker: CircuitBreaker) -> str:
    """Return the answer, or the code of the error."""
    try:
        return asyncio.run(breaker.complete(REQUEST)).text
    except AppError as error:
        return str(error.context.get("code", error.detail))


def opened(model: ScriptedModel, times: int = 3) -> CircuitBreaker:
    model.enqueue(*[outage() for _ in range(times)])
    breaker = CircuitBreaker(model)
    assert [ask(breaker) for _ in range(3)] == ["down"] * 3
    return breaker


@pytest.mark.parametrize("status", [None, 500, 503])
def test_after_three_failures_nobody_waits_for_a_model_that_is_down(
    clock: Clock, model: ScriptedModel, status: int | None
) -> None:
    model.enqueue(*[outage(status) for _ in range(3)])
    breaker = CircuitBreaker(model)

    assert [ask(breaker) for _ in range(3)] == ["down"] * 3
    assert [ask(breaker) for _ in range(20)] == ["circuit_open"] * 20
    assert len(model.history) == 3


def test_one_call_tries_again_and_a_success_lets_everybody_through(clock: Clock, model: ScriptedModel) -> None:
    breaker = opened(model)
    clock.now += FIRST_PAUSE_SECONDS

    assert [ask(breaker) for _ in range(3)] == ["Echo: Hi"] * 3


def test_while_one_call_tries_the_others_are_still_refused(clock: Clock, model: ScriptedModel) -> None:
    breaker = opened(model)
    clock.now += FIRST_PAUSE_SECONDS
    answer = asyncio.Event()

    async def slowly(request: CompletionRequest) -> str:
        await answer.wait()
        return "back"

    async def together() -> tuple[str, str]:
        trial = asyncio.create_task(breaker.complete(REQUEST))
        await asyncio.sleep(0)
        with pytest.raises(AppError) as refused:
            await breaker.complete(REQUEST)
        answer.set()
        return (await trial).text, refused.value.context["code"]

    model.enqueue(slowly)
    assert asyncio.run(together()) == ("back", "circuit_open")


def test_each_failed_try_doubles_the_pause_up_to_a_minute(clock: Clock, model: ScriptedModel) -> None:
    breaker = opened(model, times=20)
    pause = FIRST_PAUSE_SECONDS
    for _ in range(6):
        clock.now += pause - 0.1
        assert ask(breaker) == "circuit_open"
        clock.now += 0.1
        assert ask(breaker) == "down"
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    assert pause == LONGEST_PAUSE_SECONDS


def test_a_try_that_is_cancelled_does_not_keep_the_circuit_open_for_ever(clock: Clock, model: ScriptedModel) -> None:
    breaker = opened(model)
    clock.now += FIRST_PAUSE_SECONDS

    async def for_ever(request: CompletionRequest) -> str:
        await asyncio.Event().wait()
        return "never"

    async def cancelled() -> None:
        trial = asyncio.create_task(breaker.complete(REQUEST))
        await asyncio.sleep(0)
        trial.cancel()
        await asyncio.gather(trial, return_exceptions=True)

    model.enqueue(for_ever)
    asyncio.run(cancelled())
    assert ask(breaker) == "Echo: Hi"


def test_a_success_in_between_starts_the_count_anew(clock: Clock, model: ScriptedModel) -> None:
    breaker = CircuitBreaker(model)
    for _ in range(4):
        model.enqueue(outage(), outage(), "fine")
        assert [ask(breaker) for _ in range(3)] == ["down", "down", "fine"]


@pytest.mark.parametrize(
    "error",
    [
        AppError(ErrorCode.OPENAI_API_ERROR, "slow down", retryable=True, context={"status": 429}),
        AppError(ErrorCode.OPENAI_API_ERROR, "bad request", context={"status": 400}),
        AppError(ErrorCode.CONFIGURATION_ERROR, "no such model", context={"status": 404}),
        EmptyCompletion(Completion("", "gpt-6-luna", 1, 1), "empty", "empty", retryable=True),
    ],
    ids=["throttled", "refused", "not configured", "empty"],
)
def test_what_is_no_outage_leaves_the_circuit_closed(clock: Clock, model: ScriptedModel, error: AppError) -> None:
    model.enqueue(*[error] * 10)
    breaker = CircuitBreaker(model)
    assert "circuit_open" not in [ask(breaker) for _ in range(11)]
    assert len(model.history) == 11


def ask_of(breaker: CircuitBreaker, chat: int) -> str:
    try:
        return asyncio.run(breaker.complete(replace(REQUEST, chat=chat))).text
    except AppError as error:
        return str(error.context.get("code", error.detail))


def test_one_chats_failures_are_no_outage_however_many_they_are(clock: Clock, model: ScriptedModel) -> None:
    model.enqueue(*[outage(500), outage(502), outage()] * 10)
    breaker = CircuitBreaker(model)
    assert [ask_of(breaker, 1) for _ in range(30)] == ["down"] * 30
    assert ask_of(breaker, 2) == "Echo: Hi"


def test_a_chat_that_always_fails_and_another_one_that_fails_once_are_no_outage_either(
    clock: Clock, model: ScriptedModel
) -> None:
    breaker = CircuitBreaker(model)
    model.enqueue(*[outage(500)] * 5)
    assert [ask_of(breaker, chat) for chat in (1, 1, 2, 1, 2)] == ["down"] * 5
    assert ask_of(breaker, 3) == "Echo: Hi"


def test_failures_of_different_chats_are_an_outage(clock: Clock, model: ScriptedModel) -> None:
    breaker = CircuitBreaker(model)
    model.enqueue(*[outage(500)] * 20)
    assert [ask_of(breaker, chat) for chat in (1, 2, 1, 3, 4)] == [*["down"] * 4, "circuit_open"]


def test_a_success_forgets_which_chats_have_failed(clock: Clock, model: ScriptedModel) -> None:
    breaker = CircuitBreaker(model)
    for _ in range(3):
        model.enqueue(outage(500), outage(500), "fine")
        assert [ask_of(breaker, chat) for chat in (1, 2, 3)] == ["down", "down", "fine"]


@pytest.mark.parametrize("code", ["ClientConnectorError", "ClientConnectorDNSError", "ConnectionTimeoutError"])
def test_a_server_without_a_connection_is_down_whoever_asks(clock: Clock, model: ScriptedModel, code: str) -> None:
    unreachable = AppError(ErrorCode.OPENAI_API_ERROR, retryable=True, context={"status": None, "code": code})
    model.enqueue(*[unreachable] * 3)
    breaker = CircuitBreaker(model)
    assert [ask_of(breaker, 1) for _ in range(4)] == [*[code] * 3, "circuit_open"]


def test_opening_and_closing_are_logged_once(
    clock: Clock, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    breaker = opened(model)
    for _ in range(10):
        ask(breaker)
    clock.now += FIRST_PAUSE_SECONDS
    ask(breaker)
    ask(breaker)

    assert [record.message for record in caplog.records] == ["model_circuit_opened", "model_circuit_closed"]


def test_the_openai_model_has_one_and_closing_it_closes_the_model(settings, model: ScriptedModel) -> None:
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", "http://127.0.0.1:1/v1"
    assert isinstance(create_model("openai"), CircuitBreaker)
    asyncio.run(CircuitBreaker(model).close())
    assert model.closed
