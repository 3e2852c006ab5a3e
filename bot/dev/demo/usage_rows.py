"""What the turns have cost: a record of each call, and the sums of the days that follow from the records."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from django.utils import timezone

from bot.dev.demo.bots import ANSWERS_AS, BOTS, UNPRICED_MODEL
from bot.dev.demo.inbox_rows import WrittenTurn
from bot.dev.demo.marks import CALL_PREFIX
from bot.dev.demo.turns import PlannedTurn
from usage.budgets import counted_micros
from usage.models import ClosedDay, DailySpend, UsageRecord
from usage.prices import Priced, price_completion
from usage.pricing import Price, cost_micros
from usage.spending import Changes
from users.models import User

BATCH = 1_000
OPENAI = "https://api.openai.com/v1"
RATES = ("input_micros_per_million", "output_micros_per_million", "cached_input_micros_per_million")


def store_usage(
    turns: Sequence[PlannedTurn], people: Sequence[User], kept: Mapping[int, WrittenTurn]
) -> tuple[int, int]:
    """Insert the calls of all turns, and add them to what the days have cost; return how many records and rows.

    kept: by their places among the turns, those whose messages are kept as well.
    """
    zone = timezone.get_default_timezone()
    records: list[UsageRecord] = []
    stored, changes = 0, Changes()
    for number, turn in enumerate(turns):
        if turn.is_paid:
            record = _record(turn, people[turn.person], number, kept.get(number))
            record.budget_day = record.created_at.astimezone(zone).date()
            priced = _priced(turn, record.budget_day)
            record.cost_micros, record.price = priced.cost_micros, priced.snapshot
            counted = counted_micros(priced.cost_micros, turn.input_tokens, turn.output_tokens)
            record.budget_micros = counted
            changes.add(record.user_id, record.bot, record.budget_day, spent=counted)
            records.append(record)
        # Bit by bit: a server ends a transaction in which nothing happens for long.
        if len(records) == BATCH:
            stored += len(UsageRecord.objects.bulk_create(records))
            records = []
    stored += len(UsageRecord.objects.bulk_create(records))
    # As turns do it, in one statement and in the order in which everybody locks these rows.
    rows = DailySpend.objects.apply(changes)
    ClosedDay.objects.reopen(date.fromisoformat(row["day"]) for row in changes.rows())
    return stored, len(rows)


def _record(turn: PlannedTurn, person: User, number: int, written: WrittenTurn | None) -> UsageRecord:
    return UsageRecord(
        user=person,
        bot=BOTS[turn.bot].slug,
        model=turn.model,
        model_answered=ANSWERS_AS.get(turn.model, turn.model),
        input_tokens=turn.input_tokens,
        cached_input_tokens=turn.cached_tokens,
        output_tokens=turn.output_tokens,
        turn_key=written.key if written else None,
        call_id=f"{CALL_PREFIX}{number:012}",
        # (With its reply, in one transaction.)
        created_at=written.stored_at - timedelta(milliseconds=1) if written else turn.recorded_at,
    )


def _priced(turn: PlannedTurn, day: date) -> Priced:
    if turn.model == UNPRICED_MODEL:
        return Priced(None, {"source": "unknown"})
    snapshot, price = _price(turn.model, day)
    if price is None:
        return Priced(None, snapshot)
    return Priced(cost_micros(price, turn.input_tokens, turn.cached_tokens, turn.output_tokens), snapshot)


@lru_cache(maxsize=2_048)
def _price(model: str, day: date) -> tuple[dict[str, object], Price | None]:
    """Return the price of a model on a day: the operator's own, else the bundled one. (None of these has tiers.)"""
    found = price_completion(
        provider="openai",
        base_url=OPENAI,
        model=model,
        model_answered=ANSWERS_AS.get(model, model),
        input_tokens=1,
        cached_input_tokens=0,
        output_tokens=1,
        on=day,
    ).snapshot
    into, out, cached = (found.get(rate) for rate in RATES)
    return found, None if into is None or out is None else Price(into, out, cached)
