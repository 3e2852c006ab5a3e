"""What stands in for the model, the provider and the counter of messages while turns are driven: they do as planned."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
from asgiref.sync import sync_to_async

from bot.ai.base import Completion, CompletionRequest, LanguageModel
from bot.channels.channel import Channel
from bot.channels.connection import Account
from bot.channels.registry import CHANNELS
from bot.channels.sending import OutboundText, SendError
from bot.dev.demo.bots import ANSWERS_AS
from bot.dev.demo.clock import Clock
from bot.dev.demo.marks import CALL_PREFIX
from bot.dev.demo.turns import DEAD, EXPIRED, FAILED, UNCERTAIN, PlannedTurn
from bot.errors import AppError, ErrorCode
from bot.pipeline.limiter import Limiter, Wait
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.worker import replies
from bot.worker.answering import Answering
from bot.worker.delivery import Delivery

# Why a provider refuses, or does not answer.
REFUSALS = ("131026", "131026", "131047", "131049", "131000", "http_400")
SILENCES = ("timeout", "timeout", "connection_lost", "http_502")
WINDOW = timedelta(hours=24)


@dataclass(slots=True)
class Script:
    """The turn that is driven, which number it has, and the clock that it moves on."""

    clock: Clock
    rng: random.Random
    number: int = 0
    plan: PlannedTurn = field(init=False)


class ScriptedModel(LanguageModel):
    """Answers as planned, and takes as long."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the planned answer.

        Raises:
            AppError: the plan is that the model fails.
            RuntimeError: the plan is that the turn never comes to an end.
        """
        plan = self.script.plan
        self.script.clock.move(plan.model_ms)
        if plan.outcome == DEAD:
            raise RuntimeError("planned")
        if plan.outcome == ErrorCode.OPENAI_API_ERROR:
            raise AppError(ErrorCode.OPENAI_API_ERROR)
        model = ANSWERS_AS.get(plan.model, plan.model)
        return Completion(plan.answer, model, plan.input_tokens, plan.output_tokens, plan.cached_tokens)

    async def close(self) -> None:
        """Close nothing."""


class ScriptedProvider:
    """Accepts what is sent, or refuses it as planned: a channel's own way to send, when it is put before its class."""

    script: Script
    sent = 0

    async def send(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        """Return an id.

        Raises:
            SendError: as planned.
        """
        rng, plan = self.script.rng, self.script.plan
        self.script.clock.move(rng.randint(120, 700))
        if plan.outcome == FAILED:
            raise SendError(rng.choice(REFUSALS))
        if plan.outcome == UNCERTAIN:
            raise SendError(rng.choice(SILENCES), uncertain=True)
        self.sent += 1
        return f"seed-demo-{self.script.number}-reply-{self.sent}"


def scripted(channel: Channel, script: Script, window: timedelta | None = None) -> Channel:
    """Return a channel like another one, whose provider does as planned and takes no answer after a window."""
    own = {"script": script, "reply_window": window}
    made: Channel = type("ScriptedChannel", (ScriptedProvider, type(channel)), own)()
    return made


class ScriptedLimiter(Limiter):
    """Lets everybody write as much as planned."""

    def __init__(self, script: Script) -> None:
        super().__init__(None)
        self.script = script

    async def hit(self, key: str, most: int, cost: int = 1, *, minutes: int = 1) -> bool:
        """Return whether the message is within the limit, or that nobody was told so yet."""
        return key.startswith("told:") or self.script.plan.outcome != ErrorCode.RATE_LIMIT_EXCEEDED

    async def wait(self, key: str, per_minute: int) -> Wait:
        """Return some time."""
        return Wait(self.script.rng.randint(5, 55), "planned")


class OneThread:
    """A database's thread that is the caller's own: what is driven is in its transaction."""

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return function(*arguments)."""
        return await sync_to_async(function)(*arguments)

    async def submit(self, function: Callable[[Sequence[Any]], Sequence[Any]], item: Any) -> Any:
        """Return function's answer for item."""
        (answer,) = await sync_to_async(function)([item])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def batch(self, function: Callable[..., Any], worker: str) -> Callable[[Any], Any]:
        """Return what calls a worker's function for one item."""
        return partial(self.submit, partial(function, worker))


class DrivenWorker:
    """A worker that is handed its turns and polls for none."""

    def __init__(self, name: str, script: Script) -> None:
        self.name = name
        self._script = script
        database: Any = OneThread()
        client: Any = None
        services = Services(database, ScriptedModel(script), client, ScriptedLimiter(script), database)
        console = CHANNELS["console"]
        self._usual, self._closing = scripted(console, script), scripted(console, script, WINDOW)
        store = database.batch(replies.store_replies, name)

        async def store_marked(turn: Turn) -> Any:
            turn.result.calls = [
                replace(call, id=f"{CALL_PREFIX}{script.number:012}-{place}")
                for place, call in enumerate(turn.result.calls)
            ]
            script.clock.move(script.rng.randint(4, 18))
            return await store(turn)

        self._answering = Answering(name, services, Delivery(name, database, client), store_marked)

    async def work(self, turn: Turn, plan: PlannedTurn) -> None:
        """Work on a turn until it is settled."""
        channel = self._closing if plan.outcome == EXPIRED else self._usual
        turn.bot = replace(turn.bot, channel=channel, model=plan.model)
        # (A field's default asks the machine's clock.)
        turn._claimed_at = self._script.clock.at.timestamp()
        await self._answering.work(turn)
