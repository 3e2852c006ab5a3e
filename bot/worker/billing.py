"""Billing of model calls: record each once, in usage records, budgets of the day and metrics."""

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

# {counter: the column of usage records that it sums}.
COUNTED_COLUMNS = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cached_input_tokens",
    "output_tokens": "output_tokens",
    "cost_dollars": "cost_micros",
}


def record_calls(turns: Sequence[Turn]) -> list[tuple[Turn, int, date]]:
    """Record the turns' calls; return each turn with its newly recorded micro-dollars and the day they count on.

    A worker that lost its lease was billed as well, and its call is recorded. A retry after a lost commit answer
    records nothing twice, and its cost is not new.
    """
    # Record and sums use the day of the reservation, also when midnight has passed since.
    days = [turn.reserved_on or today() for turn in turns]
    on = timezone.localdate()
    rows = [[_row(turn, call, day, on) for call in turn.result.calls] for turn, day in zip(turns, days, strict=True)]
    new = UsageRecord.objects.record_many([row for of_turn in rows for row in of_turn])
    transaction.on_commit(partial(count_calls, [row for of_turn in rows for row in of_turn if row["call_id"] in new]))
    costs = [sum(row["budget_micros"] for row in of_turn if row["call_id"] in new) for of_turn in rows]
    return list(zip(turns, costs, days, strict=True))


def settle_budgets(turns: Iterable[tuple[Turn, int, date]]) -> None:
    """Add the turns' costs (micro-dollars, on a day) to the budgets, and release what they had reserved."""
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
    """Record a test call that staff made of a bot's model: no person's, it counts for the bot and everybody."""
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
    """Count the tokens and costs of recorded calls in the metrics."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        for name, column in COUNTED_COLUMNS.items():
            sums[name, row["model"]] += row[column] or 0
    for (name, model), amount in sums.items():
        count(name, amount, model=model)
