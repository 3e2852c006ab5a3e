"""Budget stage: reserve a turn's maximum cost in the daily budgets before the model is asked."""

import asyncio
import time
from collections.abc import Sequence
from datetime import date

from django.conf import settings

from bot.ai.base import CompletionRequest
from bot.ai.tokens import most_prompt_tokens
from bot.errors import AppError, ErrorCode
from bot.models import LeaseLost
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from usage import budgets
from usage.budgets import Cap
from usage.days import today
from usage.prices import price_completion

OVER = {
    Cap.PERSON: ErrorCode.BUDGET_EXCEEDED,
    Cap.BOT: ErrorCode.BOT_BUDGET_EXCEEDED,
    Cap.EVERYBODY: ErrorCode.GLOBAL_BUDGET_EXCEEDED,
}

# The first and the longest interval between retries of a turn that waits for room.
SOONEST_SECONDS, LATEST_SECONDS = 0.2, 2.0
# The share of the model's deadline that a turn may wait; the deadline is reduced by the wait.
SHARE_OF_DEADLINE = 0.5


async def budget(turn: Turn, services: Services) -> None:
    """Reserve the turn's cost in the budgets of the person, the bot and everybody; without budgets, do nothing.

    If only the reservations of other turns, which are higher than their costs, leave no room, wait for them to settle.
    If the database fails, the model is not asked: the exception ends this attempt.

    Raises:
        AppError: BUDGET_EXCEEDED, BOT_BUDGET_EXCEEDED or GLOBAL_BUDGET_EXCEEDED.
        LeaseLost: another worker has taken the chat over and reserved for the turn.
    """
    if person_cap(turn) is None and turn.bot.daily_budget_micros is None and settings.DAILY_BUDGET_MICROS is None:
        return
    asking, began, pause = (turn, turn.request), time.monotonic(), SOONEST_SECONDS
    while True:
        # Set in advance, so that a turn that is cut off while waiting here releases its reservation.
        turn.reserved_on = today()
        try:
            turn.reserved_on = await services.database.submit(reserve_for, asking)
        except budgets.OverBudget as error:
            longest = settings.MODEL_DEADLINE_SECONDS * SHARE_OF_DEADLINE
            if not error.may_pass or time.monotonic() + pause - began > longest:
                raise AppError(OVER[error.cap]) from None
        except budgets.Superseded:
            raise LeaseLost from None
        else:
            return
        await asyncio.sleep(pause)
        turn.waited_seconds = time.monotonic() - began
        pause = min(pause * 1.5, LATEST_SECONDS)


def person_cap(turn: Turn) -> int | None:
    """Return the daily cap of the turn's person; None without one."""
    return budgets.user_cap(turn.user, turn.bot.user_daily_budget_micros)


def reserve_for(askings: Sequence[tuple[Turn, CompletionRequest]]) -> list[date | Exception]:
    """Reserve the maximum cost of each turn's completion."""
    return budgets.reserve(
        [
            budgets.Wanted(
                turn_key=turn.key,
                fence=turn.lease.fence,
                user_id=turn.user.pk if turn.user else None,
                bot=turn.bot.slug,
                amount_micros=most_micros(request),
                user_cap_micros=person_cap(turn),
                bot_cap_micros=turn.bot.daily_budget_micros,
                global_cap_micros=settings.DAILY_BUDGET_MICROS,
            )
            for turn, request in askings
        ]
    )


def most_micros(request: CompletionRequest) -> int:
    """Return the maximum cost of a completion: for the most tokens its prompt can have, and the longest answer.

    A model without a known price is assumed to cost settings.UNPRICED_MICROS_PER_MILLION. A gateway may answer with a
    more expensive model than the one asked.
    """
    prompt_tokens = most_prompt_tokens(request.messages)
    priced = price_completion(
        provider=settings.LLM_PROVIDER,
        base_url=settings.OPENAI_BASE_URL,
        model=request.model,
        model_answered="",
        input_tokens=prompt_tokens,
        cached_input_tokens=0,
        # The most expensive input: the provider may write all of it into its cache.
        cache_write_tokens=prompt_tokens,
        output_tokens=request.max_tokens,
        on=today(),
    )
    return budgets.counted_micros(priced.cost_micros, prompt_tokens, request.max_tokens)
