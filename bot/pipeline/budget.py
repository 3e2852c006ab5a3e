"""What a turn may cost: reserved in the daily budgets before the model is asked, settled when its reply is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from bot.errors import AppError, ErrorCode
from bot.llm.base import CompletionRequest
from bot.llm.tokens import estimate_prompt_tokens
from bot.pipeline.completion import request_for
from bot.pipeline.services import Services
from bot.pipeline.turn import LeaseLost, Turn
from usage import budgets
from usage.managers import today
from usage.prices import price_completion


@dataclass(frozen=True, slots=True)
class Asking:
    """A turn and what it is about to ask the model."""

    turn: Turn
    request: CompletionRequest


async def budget(turn: Turn, services: Services) -> None:
    """Let a turn pass that the person's budget and everybody's have room for. Without budgets nothing is done.

    When the database cannot say so, the model is not asked: the exception ends this attempt at the turn.

    Raises:
        AppError: BUDGET_EXCEEDED or GLOBAL_BUDGET_EXCEEDED.
        LeaseLost: whoever took the chat over has reserved for the turn.
    """
    if budgets.user_cap(turn.user) is None and settings.DAILY_BUDGET_MICROS is None:
        return
    asking = Asking(turn, request_for(turn))
    # Before it is known: a turn that is cut off while it waits here is ended holding what is reserved for it then.
    turn.reserved_on = today()
    try:
        turn.reserved_on = await services.database.submit(reserve_for, asking)
    except budgets.OverBudget as error:
        code = ErrorCode.GLOBAL_BUDGET_EXCEEDED if error.everybody else ErrorCode.BUDGET_EXCEEDED
        raise AppError(code) from None
    except budgets.Superseded:
        raise LeaseLost from None


def reserve_for(askings: Sequence[Asking]) -> list[date | Exception]:
    """Reserve the most that each turn's completion is taken to cost."""
    return budgets.reserve(
        [
            budgets.Wanted(
                turn_key=asking.turn.key,
                fence=asking.turn.lease.fence,
                user_id=asking.turn.user.pk if asking.turn.user else None,
                amount_micros=estimate_micros(asking.request),
                user_cap_micros=budgets.user_cap(asking.turn.user),
                global_cap_micros=settings.DAILY_BUDGET_MICROS,
            )
            for asking in askings
        ]
    )


def estimate_micros(request: CompletionRequest) -> int:
    """Return the most a completion is taken to cost: its prompt as counted, rather too high, and the longest answer.

    A model without a known price is taken to cost settings.UNPRICED_MICROS_PER_MILLION. Not more than an estimate: the
    provider counts its own tokens, and a gateway may let a dearer model answer.
    """
    prompt_tokens = estimate_prompt_tokens(request.messages)
    priced = price_completion(
        provider=settings.LLM_PROVIDER,
        base_url=settings.OPENAI_BASE_URL,
        model=request.model,
        model_answered="",
        input_tokens=prompt_tokens,
        cached_input_tokens=0,
        output_tokens=request.max_tokens,
        on=today(),
    )
    return budgets.counted_micros(priced.cost_micros, prompt_tokens, request.max_tokens)


def settle_budgets(turns: Iterable[tuple[Turn, Sequence[dict[str, Any]]]]) -> None:
    """Count what turns have cost by the usage records they produced, and give back what they had reserved beyond it."""
    budgets.settle(
        [
            budgets.Spent(
                turn_key=turn.key,
                fence=turn.lease.fence,
                user_id=turn.user.pk if turn.user else None,
                cost_micros=sum(
                    budgets.counted_micros(record["cost_micros"], record["input_tokens"], record["output_tokens"])
                    for record in records
                ),
                reserved_on=turn.reserved_on,
            )
            for turn, records in turns
        ]
    )
