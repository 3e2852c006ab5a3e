"""Give usage records whose price was not known the price of their day, when one is known; what is priced stays.

Budgets counted what such a call was taken to cost. The difference goes into the spends of the day it was counted on,
so that what a day has cost remains the sum of what its records count.
"""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.db.batches import FIRST_SIZE, Progress, next_size
from usage.models import ClosedDay, DailySpend, UsageQuerySet, UsageRecord
from usage.prices import Priced, forget_prices, price_completion
from usage.spending import Changes
from users.models import User


@dataclass(slots=True)
class ModelRepriced:
    """Records of one model: how many, what they cost together, and the day of the first."""

    records: int = 0
    cost_micros: int = 0
    first_day: date = date.max


@dataclass(slots=True)
class Repriced:
    """What a run has priced, or in a dry run would, and what still has no price; by model, as it was asked for."""

    priced: dict[str, ModelRepriced] = field(default_factory=lambda: defaultdict(ModelRepriced))
    unknown: dict[str, ModelRepriced] = field(default_factory=lambda: defaultdict(ModelRepriced))
    records: int = 0
    cost_micros: int = 0

    def add(self, record: UsageRecord, cost_micros: int | None) -> None:
        """Count a record with its cost, or None where it still has none."""
        of_model = (self.unknown if cost_micros is None else self.priced)[_label(record)]
        of_model.records += 1
        of_model.first_day = min(of_model.first_day, _day(record))
        if cost_micros is not None:
            of_model.cost_micros += cost_micros
            self.records += 1
            self.cost_micros += cost_micros


def reprice(
    *,
    days: int | None = None,
    model: str = "",
    user: User | None = None,
    dry_run: bool = False,
    most: int | None = None,
    progress: Progress | None = None,
) -> Repriced:
    """Price the records that have no cost, in short transactions; safe twice, and in several processes at once.

    days, model (asked or answered) and user choose among them; `most` ends the run after about so many. progress is
    called with what was looked at so far, and of how many.

    Raises:
        ValueError: days is less than 1.
    """
    forget_prices()
    waiting = waiting_records(days=days, model=model, user=user)
    total = waiting.count() if progress else None
    result, size, seen, last = Repriced(), FIRST_SIZE, 0, 0
    while most is None or seen < most:
        started = time.monotonic()
        # Read without a lock, and priced before there is one: what a price depends on never changes.
        records = list(waiting.filter(pk__gt=last)[:size])
        if not records:
            break
        _reprice(records, result, dry_run=dry_run)
        last, seen = records[-1].pk, seen + len(records)
        size = next_size(size, time.monotonic() - started)
        if progress:
            progress(seen, total)
    return result


def waiting_records(*, days: int | None = None, model: str = "", user: User | None = None) -> UsageQuerySet:
    """Return the records without a cost, oldest first.

    Raises:
        ValueError: days is less than 1.
    """
    waiting = UsageRecord.objects.unpriced().order_by("pk")
    if days is not None:
        waiting = waiting.last_days(days)
    if model:
        waiting = waiting.of_model(model)
    return waiting if user is None else waiting.filter(user=user)


def _reprice(records: list[UsageRecord], result: Repriced, *, dry_run: bool) -> None:
    prices = {record.pk: _price(record) for record in records}
    known = [record for record in records if prices[record.pk].cost_micros is not None]
    for record in records:
        if prices[record.pk].cost_micros is None:
            result.add(record, None)
    # (Only what this run has priced is counted: another may be at the same records.)
    for record in known if dry_run else _store(known, prices):
        result.add(record, prices[record.pk].cost_micros)


def _price(record: UsageRecord) -> Priced:
    return price_completion(
        # (The demo model's calls are recorded as free: whatever has no cost was another's, also if demo is set now.)
        provider="openai",
        base_url=settings.OPENAI_BASE_URL,
        model=record.model,
        model_answered=record.model_answered,
        input_tokens=record.input_tokens,
        cached_input_tokens=record.cached_input_tokens,
        cache_write_tokens=record.cache_write_tokens,
        output_tokens=record.output_tokens,
        on=_day(record),
    )


@transaction.atomic
def _store(records: list[UsageRecord], prices: dict[int, Priced]) -> list[UsageRecord]:
    """Store the costs of those that have none yet, and correct the spends; return them."""
    now = timezone.now().isoformat()
    unpriced = UsageRecord.objects.unpriced()
    keys = [record.pk for record in records]
    locked = list(unpriced.filter(pk__in=keys).select_for_update(of=("self",)).order_by("pk"))
    corrections = Changes()
    for record in locked:
        priced = prices[record.pk]
        record.cost_micros, record.price = priced.cost_micros, {**priced.snapshot, "repriced_at": now}
        # Older than the column: what it counted is not known, so there is no difference to correct.
        if record.budget_micros is not None and record.cost_micros is not None:
            if record.budget_day is not None:
                difference = record.cost_micros - record.budget_micros
                corrections.add(record.user_id, record.bot, record.budget_day, spent=difference)
            record.budget_micros = record.cost_micros
    if locked:
        unpriced.bulk_update(locked, ["cost_micros", "price", "budget_micros"])
    DailySpend.objects.correct(corrections)
    ClosedDay.objects.reopen(map(_day, locked))
    return locked


def _day(record: UsageRecord) -> date:
    return timezone.localdate(record.created_at, timezone.get_default_timezone())


def _label(record: UsageRecord) -> str:
    if record.model_answered in ("", record.model):
        return record.model
    return f"{record.model} (answered by {record.model_answered})"
