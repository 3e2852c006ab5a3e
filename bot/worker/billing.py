"""Record what turns have paid for: each call once, in the usage records, the budgets of one day and the metrics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bot.monitoring.metrics.memory import count
from bot.pipeline.result import ModelCall
from bot.pipeline.turn import Turn
from usage.budgets import Spent, counted_micros, settle
from usage.days import today
from usage.models import UsageRecord
from usage.prices import price_completion

# Counters, and the columns of usage records that add to them.
COUNTED_COLUMNS = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cached_input_tokens",
    "output_tokens": "output_tokens",
    "cost_dollars": "cost_micros",
}


def record_calls(turns: Sequence[Turn]) -> list[tuple[Turn, int, date]]:
    """Record the turns' calls; return with each turn what is new of it in micro-dollars, and the day it counts on.

    Whoever stores the turn now, and whoever comes late with a call of their own, was billed for it. What is recorded
    already (the commit's answer was lost with the connection) is not new: it was counted then.
    """
    # One day for the record and for the sums, whatever midnight does: the one that has its reservation.
    days = [turn.reserved_on or today() for turn in turns]
    on = timezone.localdate()
    rows = [[_row(turn, call, day, on) for call in turn.result.calls] for turn, day in zip(turns, days, strict=True)]
    new = UsageRecord.objects.record_many([row for of_turn in rows for row in of_turn])
    transaction.on_commit(partial(count_calls, [row for of_turn in rows for row in of_turn if row["call_id"] in new]))
    costs = [sum(row["budget_micros"] for row in of_turn if row["call_id"] in new) for of_turn in rows]
    return list(zip(turns, costs, days, strict=True))


def settle_budgets(turns: Iterable[tuple[Turn, int, date]]) -> None:
    """Count what turns have cost (micro-dollars, on a day), and give back what they had reserved beyond it."""
    settle(
        [
            Spent(
                turn_key=turn.key,
                fence=turn.lease.fence,
                user_id=turn.user.pk if turn.user else None,
                bot=turn.bot.slug,
                cost_micros=cost_micros,
                day=day,
                has_reserved=turn.reserved_on is not None,
            )
            for turn, cost_micros, day in turns
        ]
    )


def record_test(call: ModelCall, bot: str) -> None:
    """Record a call that staff made to see whether a bot's model answers: nobody's, but the bot's and everybody's."""
    day = today()
    row = {**_call_row(call, day, timezone.localdate()), "user_id": None, "bot": bot, "turn_key": None}
    with transaction.atomic():
        new = UsageRecord.objects.record_many([row])
        transaction.on_commit(partial(count_calls, [row] if new else []))
        spent = Spent(0, 0, None, bot, row["budget_micros"], day, has_reserved=False)
        settle([spent])


def _row(turn: Turn, call: ModelCall, day: date, on: date) -> dict[str, Any]:
    whose = {"user_id": turn.user.pk if turn.user else None, "bot": turn.bot.slug, "turn_key": turn.key}
    return {**_call_row(call, day, on), **whose}


def _call_row(call: ModelCall, day: date, on: date) -> dict[str, Any]:
    completion = call.completion
    priced = price_completion(
        provider=settings.LLM_PROVIDER,
        base_url=settings.OPENAI_BASE_URL,
        model=call.model,
        model_answered=completion.model,
        input_tokens=completion.input_tokens,
        cached_input_tokens=completion.cached_input_tokens,
        cache_write_tokens=completion.cache_write_tokens,
        output_tokens=completion.output_tokens,
        on=on,
    )
    return {
        "model": call.model,
        "model_answered": completion.model,
        "input_tokens": completion.input_tokens,
        "cached_input_tokens": completion.cached_input_tokens,
        "cache_write_tokens": completion.cache_write_tokens,
        "output_tokens": completion.output_tokens,
        "cost_micros": priced.cost_micros,
        "price": priced.snapshot,
        "call_id": call.id,
        "budget_micros": counted_micros(priced.cost_micros, completion.input_tokens, completion.output_tokens),
        "budget_day": day.isoformat(),
    }


def count_calls(rows: Iterable[Mapping[str, Any]]) -> None:
    """Count the tokens and the cost of calls as they were recorded."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        for name, column in COUNTED_COLUMNS.items():
            sums[name, row["model"]] += row[column] or 0
    for (name, model), amount in sums.items():
        count(name, amount, model=model)
