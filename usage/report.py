"""What was used and what it cost: by day, person, bot, kind and model. Summed up by the database, in one query."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from usage.models import UsageKind, UsageRecord
from users.models import User

FETCHED_AT_ONCE = 2_000
# What a line is of, as columns, in the order in which the lines come.
KEYS = ("day", "user_id", "bot", "kind", "model")
SUMS = {
    # The names differ from the columns', which an aggregate may not shadow.
    "calls": Count("pk"),
    "answers": Count("pk", filter=Q(kind=UsageKind.COMPLETION)),
    "sum_input": Sum("input_tokens"),
    "sum_cached": Sum("cached_input_tokens"),
    "sum_output": Sum("output_tokens"),
    "sum_cost": Sum("cost_micros", default=0),
    "unpriced": Count("pk", filter=Q(cost_micros=None)),
}


@dataclass(slots=True)
class Sums:
    """Sums over usage records. cached is a part of input; cost_micros leaves out the unpriced."""

    calls: int = 0
    answers: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    unpriced: int = 0

    def add(self, other: "Sums") -> None:
        """Count another's records as well."""
        self.calls += other.calls
        self.answers += other.answers
        self.input_tokens += other.input_tokens
        self.cached_input_tokens += other.cached_input_tokens
        self.output_tokens += other.output_tokens
        self.cost_micros += other.cost_micros
        self.unpriced += other.unpriced


@dataclass(frozen=True, slots=True)
class Person:
    """Whose usage it is; without an id: people who were deleted, or nobody."""

    user_id: int | None
    name: str
    phone_number: str


@dataclass(frozen=True, slots=True)
class Line:
    """The sums of one day, person, bot, kind and model."""

    day: date
    person: Person
    bot: str
    kind: str
    model: str
    sums: Sums


@dataclass(slots=True)
class Report:
    """The sums of some days: all together, and by what one may ask for."""

    total: Sums = field(default_factory=Sums)
    by_day: dict[date, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_bot: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_kind: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_model: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_person: dict[Person, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def add(self, line: Line) -> None:
        """Count a line."""
        groups = (
            self.by_day[line.day],
            self.by_bot[line.bot],
            self.by_kind[line.kind],
            self.by_model[line.model],
            self.by_person[line.person],
        )
        for sums in (self.total, *groups):
            sums.add(line.sums)


def usage_lines(days: int, *, user: User | None = None, bot: str = "") -> Iterator[Line]:
    """Yield the sums of the last `days` days, today included, in the order of KEYS. One query, never all in memory.

    Raises:
        ValueError: days is less than 1.
    """
    records = UsageRecord.objects.last_days(days)
    if user is not None:
        records = records.filter(user=user)
    if bot:
        records = records.filter(bot=bot)
    day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
    keys = ("user_id", "user__name", "user__phone_number", "bot", "kind", "model")
    rows = records.values(*keys, day=day).annotate(**SUMS).order_by(*KEYS)
    return (_line(row) for row in rows.iterator(FETCHED_AT_ONCE))


def usage_report(days: int, *, user: User | None = None, bot: str = "") -> Report:
    """Return the sums of the last `days` days. One query.

    Raises:
        ValueError: days is less than 1.
    """
    report = Report()
    for line in usage_lines(days, user=user, bot=bot):
        report.add(line)
    return report


def _line(row: Any) -> Line:
    person = Person(row["user_id"], row["user__name"] or "", row["user__phone_number"] or "")
    sums = Sums(
        row["calls"],
        row["answers"],
        row["sum_input"],
        row["sum_cached"],
        row["sum_output"],
        row["sum_cost"],
        row["unpriced"],
    )
    return Line(row["day"], person, row["bot"], row["kind"], row["model"], sums)
