"""Claim chats, and let their leases run out."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from bot.ai.base import Completion
from bot.models import Lease
from bot.pipeline.result import ModelCall
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, event, whitelisted
from bot.worker import claims, settlement
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement
from conversations.memory import Said


def claimed(bot: ActiveBot, worker: str = "one", **fields: Any) -> Turn:
    """Return Alice's turn, answered by the model, claimed by worker."""
    whitelisted(ALICE)
    accept.accept(bot, [event(**fields)])
    (turn,) = claim(worker, 10)
    turn.result.calls.append(ModelCall("gpt-6-luna", Completion("Hi", "gpt-6-luna", 10, 2)))
    turn.result.remember = [Said("user", "Hello"), Said("assistant", "Hi")]
    turn.end("Hi")
    return turn


def expire() -> None:
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def put_back(turn: Turn, how: str, worker: str = "one") -> None:
    if how == "given back":
        claims.release(worker, [turn])
    else:
        settlement.settle(worker, [Settlement(turn, Outcome.RETRY, error_code="Error")])
