"""Deliveries whose bodies are here, looked at together.

granian hands bodies over in a thread of its own, which needs the interpreter for that: looking at each body as it comes
would make the two wait for each other at every request.
"""

import asyncio
from contextvars import Context, copy_context
from datetime import datetime

from django.utils import timezone

from bot import webhooks
from bot.front.intake import Intake
from bot.queue.accept import prepare
from bot.queue.received import Delivery, Stored
from bot.queue.snapshot import ActiveBot, Directory
from bot.webhooks import Call
from config.db.gathering import LARGEST


class Arrivals:
    """Judges, parses and hands in what arrived."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._here: list[tuple[Call, Context, asyncio.Future[Stored]]] = []
        self._runner: asyncio.Task[None] | None = None

    def take(self, call: Call) -> asyncio.Future[Stored]:
        """Return what is done once a delivery is committed.

        Awaiting it raises an AppError: UNAUTHORIZED (perhaps a newer directory knows better), INVALID_INPUT, or BUSY;
        or a django.db.Error: it could not be stored.
        """
        stored: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        # (What is bound to log lines is bound to what is done for this request, too.)
        self._here.append((call, copy_context(), stored))
        self._intake.crowd.arrived(len(self._here))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._look(), context=Context())
        return stored

    async def _look(self) -> None:
        while self._here:
            await self._intake.crowd.complete(len(self._here))
            here, self._here = self._here[:LARGEST], self._here[LARGEST:]
            try:
                bots = await self._intake.bots()
            except Exception as error:
                for _, _, stored in here:
                    refuse(stored, error)
                continue
            now = timezone.now()
            for call, context, stored in here:
                try:
                    self._intake.store(context.run(read, bots, call, now), stored)
                except Exception as error:
                    refuse(stored, error)
            await asyncio.sleep(0)  # (the probes come between two crowds)


def read(bots: Directory, call: Call, now: datetime) -> Delivery:
    """Return what is to be written of a delivery that came now.

    Raises:
        AppError: it is refused.
    """
    bot = webhooks.judge(bots, call)
    assert isinstance(bot, ActiveBot)  # noqa: S101 (only a GET is answered without one)
    body = call.request.body
    return prepare(bots, bot, webhooks.parse(bot, body), body, now=now)


def refuse(stored: asyncio.Future[Stored], error: Exception) -> None:
    """Let whoever waits for a delivery to be stored know why it is not."""
    if not stored.done():
        stored.set_exception(error)
