"""What was used and what it cost: by day, person, bot, kind and model, summed up by the database."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from typing import Any

from django.db.models import BigIntegerField, CharField, Count, Max, Q, Sum, Value
from django.db.models.functions import TruncDate
from django.utils import timezone

from usage.days import today
from usage.models import UsageDay, UsageKind, UsageRecord
from users.models import User

FETCHED_AT_ONCE = 2_000
# A statement has 15 s at most (config/settings.py): a year of a busy installation is asked for piece by piece.
DAYS_A_QUERY = 31
# What a line is of, as columns, in the order in which the lines come.
KEYS = ("day", "user_id", "bot", "kind", "model")
SUMS = {
    # A person has one name and one number: the greatest is it, and the database need not group by texts.
    "name": Max("user__name"),
    "number": Max("user__phone_number"),
    # The names differ from the columns', which an aggregate may not shadow.
    "calls": Count("pk"),
    "answers": Count("pk", filter=Q(kind=UsageKind.COMPLETION)),
    "sum_input": Sum("input_tokens"),
    "sum_cached": Sum("cached_input_tokens"),
    "sum_output": Sum("output_tokens"),
    "sum_cost": Sum("cost_micros", default=0),
    "unpriced": Count("pk", filter=Q(cost_micros=None)),
}
# The same columns of folded days.
FOLDED = (
    *("day", "nobody", "bot", "kind", "model", "nameless", "nameless"),
    *("calls", "answers", "input_tokens", "cached_input_tokens", "output_tokens", "cost_micros", "unpriced"),
)


@dataclass(slots=True)
class Sums:
    """Sums over usage records. Cached input is a part of input; cost_micros leaves out the unpriced."""

    calls: int = 0
    answers: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    unpriced: int = 0

    def as_row(self) -> tuple[int, ...]:
        """Return the sums in their order."""
        tokens = (self.input_tokens, self.cached_input_tokens, self.output_tokens)
        return (self.calls, self.answers, *tokens, self.cost_micros, self.unpriced)

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
    """Whose usage it is; without an id: people who were deleted, or days so long ago that only their sums are kept."""

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

    @property
    def key(self) -> tuple[object, ...]:
        """What names the line."""
        return self.day, self.person.user_id, self.bot, self.kind, self.model


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
    """Yield the sums of the last `days` days, today included, in the order of KEYS; never all of them in memory.

    One query for each month that is asked for.

    Raises:
        ValueError: days is less than 1.
    """
    if days < 1:
        raise ValueError(f"days must be at least 1 (found {days}).")
    last = today()
    first = last - timedelta(days=days - 1)
    return chain.from_iterable(_lines(*part, user, bot) for part in _parts(first, last))


def usage_report(days: int, *, user: User | None = None, bot: str = "") -> Report:
    """Return the sums of the last `days` days. One query for each month that is asked for.

    Raises:
        ValueError: days is less than 1.
    """
    report = Report()
    for line in usage_lines(days, user=user, bot=bot):
        report.add(line)
    return report


def _parts(first: date, last: date) -> Iterator[tuple[date, date]]:
    while first <= last:
        end = min(last, first + timedelta(days=DAYS_A_QUERY - 1))
        yield first, end
        first = end + timedelta(days=1)


def _lines(first: date, last: date, user: User | None, bot: str) -> Iterator[Line]:
    """Yield the lines of some days. One query; one line for what is of the same key in records and in folded days."""
    records, of_bot = UsageRecord.objects.between(first, last), Q(bot=bot) if bot else Q()
    day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
    rows: Any = records.filter(of_bot).order_by().values(*KEYS[1:], day=day).annotate(**SUMS).values_list(*KEYS, *SUMS)
    if user is None:
        rows = rows.union(_folded(first, last).filter(of_bot).values_list(*FOLDED), all=True)
    else:
        rows = rows.filter(user=user)
    line: Line | None = None
    for day, user_id, bot, kind, model, name, number, *sums in rows.order_by(*KEYS).iterator(FETCHED_AT_ONCE):
        found = Line(day, Person(user_id, name or "", number or ""), bot, kind, model, Sums(*sums))
        if line is not None and found.key == line.key:
            line.sums.add(found.sums)
            continue
        if line is not None:
            yield line
        line = found
    if line is not None:
        yield line


def _folded(first: date, last: date) -> Any:
    """Return the days whose records are not kept any more, as usage of nobody."""
    nobody = Value(None, output_field=BigIntegerField())
    nameless = Value("", output_field=CharField())
    return UsageDay.objects.between(first, last).with_answers().annotate(nobody=nobody, nameless=nameless)
