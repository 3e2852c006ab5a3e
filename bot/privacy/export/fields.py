"""Declaration of exported fields: their names and labels, and their conversion to JSON and words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy

from bot.privacy.subjects import Subject
from config.desk.money import MICROS, decimal, exact

# Rows in memory at a time.
CHUNK_ROWS = 500
YOU = "you"
STAFF = "a member of staff"
# With a message context, so that translations can use the right grammatical case.
PEOPLE: dict[str, Promise] = {
    YOU: pgettext_lazy("by whom", "you"),
    STAFF: pgettext_lazy("by whom", "a member of staff"),
}

Row = Mapping[str, Any]
Rows = QuerySet[Any, Any] | Iterable[Row]


@dataclass(frozen=True, slots=True)
class Told:
    """One field. source: its name for QuerySet.values(). key: its name in JSON, by default the source.

    convert: converts the database's value to JSON. shown: converts the JSON value to words; if it returns nothing, the
    text omits the field. is_long: a text with lines of its own.
    """

    source: str
    label: str | Promise
    key: str = ""
    convert: Callable[[Any, Subject], Any] = lambda value, subject: as_json_value(value)
    shown: Callable[[Any], str] = lambda value: in_words(value)
    is_long: bool = False

    @property
    def name(self) -> str:
        """Its name in JSON."""
        return self.key or self.source

    @property
    def field(self) -> str:
        """The model's field it comes from, or the name of a computed one."""
        return self.source.partition("__")[0]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an export: a person's rows of one model.

    rows: returns a queryset, or mappings with every field's source, of the subject, or in an inner part of the outer
    row's id. left_out: {field that is not exported: why}. computed: what fields are computed from.
    """

    name: str
    title: str | Promise
    model: type[Model]
    rows: Callable[[Any], Rows]
    told: tuple[Told, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    inner: "Part | None" = None

    def read(self, subject: Subject, of: Any = None) -> Iterator[dict[str, Any]]:
        """Yield each row as JSON values, with the rows of the inner part as an iterator."""
        found = self.rows(subject if of is None else of)
        if isinstance(found, QuerySet):
            found = found.values("pk", *(one.source for one in self.told)).iterator(chunk_size=CHUNK_ROWS)
        for row in found:
            told = {one.name: one.convert(row[one.source], subject) for one in self.told}
            if self.inner:
                told[self.inner.name] = self.inner.read(subject, row["pk"])
            yield told


def as_json_value(value: Any) -> Any:
    """Return a value of the database as a JSON value: times and days in ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value.isoformat() if isinstance(value, date) else value


def in_words(value: Any) -> str:
    """Return a JSON value as readable words."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return "" if value is None else str(value)


def time(source: str, label: str | Promise, key: str = "") -> Told:
    """Export a time, in the text in TIME_ZONE."""
    return Told(source, label, key, shown=_local)


def amount(source: str, label: str | Promise, key: str) -> Told:
    """Export micro-dollars as dollars: in JSON a string with six decimal places ("0.000123"). key ends in _usd."""
    return Told(source, label, key, convert=lambda micros, _: _decimal(micros), shown=_dollars)


def choice(source: str, label: str | Promise, words: Iterable[tuple[Any, Any]]) -> Told:
    """Export one of a few values, translated in the text."""
    by_value = dict(words)
    return Told(source, label, shown=lambda value: str(by_value.get(value, value or "")))


def long_text(source: str, label: str | Promise, key: str = "") -> Told:
    """Export a text with lines of its own."""
    return Told(source, label, key, is_long=True)


def by_whom(source: str, label: str | Promise, key: str) -> Told:
    """Export who did something: the person, or an unnamed member of staff; null if unknown."""

    def convert(pk: int | None, subject: Subject) -> str | None:
        if pk is None:
            return None
        return YOU if subject.person and subject.person.pk == pk else STAFF

    return Told(source, label, key, convert, shown=lambda value: str(PEOPLE.get(value, "")))


def _local(value: str | None) -> str:
    moment = parse_datetime(value) if value else None
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}" if moment else ""


def _decimal(micros: int | None) -> str | None:
    return None if micros is None else decimal(micros)


def _dollars(value: str | None) -> str:
    return "" if value is None else exact(int(Decimal(value) * MICROS))
