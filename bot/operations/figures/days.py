"""Count what one day came to, from the rows that are there: messages, people, times, tokens and costs."""

import math
from collections import Counter
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, ExpressionWrapper, F, Max, Min, QuerySet, Sum
from django.db.models.fields import DurationField
from django.utils import timezone

from bot.errors import ErrorCode
from bot.models import Bot, DailyFigures, InboundMessage, OutboundMessage
from bot.operations.figures.bounds import ids_between
from usage.days import day_start, today
from usage.models import UsageRecord

# Of so many of the newest answers the times are taken where the whole day would take too long.
SAMPLE = 1_000
# Not let in is not failed: who asks for access is counted there.
NO_FAILURE = ("", str(ErrorCode.UNAUTHORIZED))


def count_day(day: date, bot: Bot | None = None, *, sampled: bool = False) -> DailyFigures:
    """Count a day with one bot or with all, without saving it. Seven to eight queries, by indexes on ids and on usage.

    sampled: the times are those of the newest answers only.
    """
    began = timezone.now()
    received = _of_bot(inbound_of(day), bot)
    numbers = {**_received(received), **_sent(_of_bot(outbound_of(day), bot)), **_usage(day, bot)}
    answers = answered(received)
    if sampled:
        median, p95 = quantiles(newest_times(answers))
    else:
        median, p95 = (_at(answers, numbers["answered"], share) for share in (0.5, 0.95))
    place = {"day": day, "bot": bot.slug if bot else "", "is_over": day < today(), "counted_at": began}
    return DailyFigures(**place, median_ms=median, p95_ms=p95, **numbers)


def inbound_of(day: date) -> "QuerySet[InboundMessage]":
    """Return what was received on a day, found by its ids."""
    return _within(InboundMessage.objects.all(), day, "received_at")


def outbound_of(day: date) -> "QuerySet[OutboundMessage]":
    """Return what was to be sent on a day, found by its ids."""
    return _within(OutboundMessage.objects.all(), day, "created_at")


def answered(messages: "QuerySet[InboundMessage]") -> "QuerySet[InboundMessage]":
    """Keep what was answered, and nothing went wrong."""
    return messages.filter(state=InboundMessage.State.DONE, error_code="")


def newest_times(answers: "QuerySet[InboundMessage]") -> list[int]:
    """Return how long the newest answers took, in milliseconds."""
    rows = answers.order_by("-pk").values_list("received_at", "finished_at")[:SAMPLE]
    return [_milliseconds(end - begin) for begin, end in rows if end is not None]


def quantiles(times: list[int]) -> tuple[int | None, int | None]:
    """Return the median and the 95th percentile, each one of the times (nearest rank); None of none."""
    ordered = sorted(times)
    if not ordered:
        return None, None
    return ordered[_rank(len(ordered), 0.5)], ordered[_rank(len(ordered), 0.95)]


def _within(rows: "QuerySet[Any]", day: date, column: str) -> "QuerySet[Any]":
    start, end = day_start(day), day_start(day + timedelta(days=1))
    first, last = ids_between(rows.model, column, start, None if day == today() else end)
    rows = rows.filter(**{f"{column}__gte": start, f"{column}__lt": end})
    rows = rows if first is None else rows.filter(pk__gte=first)
    return rows if last is None else rows.filter(pk__lt=last)


def _of_bot(rows: "QuerySet[Any]", bot: Bot | None) -> "QuerySet[Any]":
    return rows if bot is None else rows.filter(bot=bot)


def _received(messages: "QuerySet[InboundMessage]") -> dict[str, Any]:
    grouped = messages.order_by().values_list("state", "error_code")
    rows = list(grouped.annotate(Count("pk"), Min("pk"), Max("pk")))
    failures: Counter[str] = Counter()
    for _state, code, count, _first, _last in rows:
        if code not in NO_FAILURE:
            failures[code] += count
    known = messages.exclude(address="").exclude(error_code=ErrorCode.UNAUTHORIZED)
    return {
        "received": sum(row[2] for row in rows),
        "answered": sum(row[2] for row in rows if row[:2] == (InboundMessage.State.DONE, "")),
        "failed": failures.total(),
        "failures": dict(failures),
        "people": known.order_by().values("address").distinct().count(),
        "first_inbound": min((row[3] for row in rows), default=None),
        "last_inbound": max((row[4] for row in rows), default=None),
    }


def _sent(messages: "QuerySet[OutboundMessage]") -> dict[str, Any]:
    rows = list(messages.order_by().values_list("status").annotate(Count("pk"), Min("pk"), Max("pk")))
    no_problem = (*OutboundMessage.GONE_OUT, *OutboundMessage.UNSETTLED)
    return {
        "sent": sum(row[1] for row in rows if row[0] in OutboundMessage.GONE_OUT),
        "unsent": sum(row[1] for row in rows if row[0] not in no_problem),
        "first_outbound": min((row[2] for row in rows), default=None),
        "last_outbound": max((row[3] for row in rows), default=None),
    }


def _usage(day: date, bot: Bot | None) -> dict[str, Any]:
    records = UsageRecord.objects.between(day, day)
    records = records if bot is None else records.filter(bot=bot.slug)
    sums = (Sum("input_tokens"), Sum("output_tokens"), Sum("cost_micros", default=0))
    rows = list(records.order_by().values_list("model").annotate(*sums))
    return {
        "costs": {model: cost for model, _, _, cost in rows},
        "input_tokens": sum(row[1] for row in rows),
        "output_tokens": sum(row[2] for row in rows),
        "cost_micros": sum(row[3] for row in rows),
    }


def _at(answers: "QuerySet[InboundMessage]", count: int, share: float) -> int | None:
    """Return the time of the answer at a share of all when they are ordered by it. One query."""
    took = ExpressionWrapper(F("finished_at") - F("received_at"), output_field=DurationField())
    times = answers.exclude(finished_at=None).annotate(took=took).order_by("took").values_list("took", flat=True)
    found = times[_rank(count, share) : _rank(count, share) + 1].first() if count else None
    return None if found is None else _milliseconds(found)


def _rank(count: int, share: float) -> int:
    return max(math.ceil(count * share) - 1, 0)


def _milliseconds(length: timedelta) -> int:
    return max(length // timedelta(milliseconds=1), 0)
