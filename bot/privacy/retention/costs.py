"""Retention of usage, costs and budgets."""

from datetime import timedelta

from bot.privacy.retention.entry import Counts, Entry, Period, Step, deletes
from bot.privacy.retention.periods import RESERVATION_HOURS
from bot.privacy.retention.reservations import release_abandoned_reservations
from config.db.batches import Progress
from usage.models import ClosedDay, DailySpend, ModelPrice, Reservation, SpendAlert, UsageDay, UsageRecord
from usage.retention import cleanup_old_usage_metrics, old_days

USAGE_PERIOD = Period(setting="USAGE_RETENTION_DAYS")


def fold_records(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
    """Aggregate old usage records by day and delete them."""
    return {"usage_records": cleanup_old_usage_metrics(period.days, dry_run=dry_run, progress=progress)}


def release_reservations(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
    """Release abandoned reservations."""
    return {"reservations": release_abandoned_reservations(dry_run=dry_run)}


def _deletes_days(name: str, model: type[DailySpend | SpendAlert | ClosedDay]) -> Step:
    return deletes(name, USAGE_PERIOD, "its day", lambda cutoff: old_days(model, cutoff))


COSTS = (
    # Before the spends, because releasing an amount creates the row of its day if it is missing.
    Entry(
        model=Reservation,
        holds="What a turn under way may cost, and whose it is.",
        why="Parallel turns cannot overspend a budget.",
        steps=(
            Step(
                "one that its turn has left behind",
                Period(timedelta(hours=RESERVATION_HOURS)),
                "it was made, or when its day is past",
                release_reservations,
                "reservations",
            ),
        ),
        stays="others until the turn ends",
        personal=("user",),
        other=("bot",),
        rights="exported; an erasure gives it back",
    ),
    Entry(
        model=SpendAlert,
        holds="Which share of a day's budget the owners were told of.",
        why="Each share is told once.",
        steps=(_deletes_days("spend_alerts", SpendAlert),),
        other=("bot",),
    ),
    Entry(
        model=ClosedDay,
        holds="A copy of the sums of a past day's usage records, by bot, kind and model.",
        why="Reports of months are shown in a moment.",
        steps=(_deletes_days("closed_days", ClosedDay),),
        other=("zone", "lines"),
    ),
    # Before the records, because a day whose first records have expired is deleted as a whole.
    Entry(
        model=DailySpend,
        holds="What a day has cost and what is reserved of it: of a person, of a bot, of everybody.",
        why="Daily budgets hold.",
        steps=(_deletes_days("daily_spends", DailySpend),),
        personal=("user",),
        other=("bot",),
        rights="exported; a person's rows are erased, those of bots and of everybody stay as anonymous sums",
    ),
    Entry(
        model=UsageRecord,
        holds="A call of a model: whose, with which bot, tokens, cost, the price used. No text.",
        why="What was spent can be told and checked against the provider's bill.",
        steps=(
            Step(
                "the row, after its numbers were added to the sums of its day",
                USAGE_PERIOD,
                "the call",
                fold_records,
                "usage_records",
            ),
        ),
        personal=("user",),
        other=("bot", "kind", "model", "model_answered", "price", "call_id"),
        rights="exported; an erasure leaves the numbers, without whose they were",
    ),
    Entry(
        model=UsageDay,
        holds="What old usage records of a day, bot, kind and model came to, together.",
        why="Totals of long ago stay true.",
        stays="for ever",
        other=("bot", "kind", "model"),
        rights="anonymous sums of everybody: of no person any more, so neither exported nor erased",
    ),
    Entry(
        model=ModelPrice,
        holds="Prices of models that the operator has entered.",
        why="Costs are computed with them.",
        stays="until deleted",
        other=("model",),
    ),
)
