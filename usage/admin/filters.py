"""How the list of usage records is narrowed: by what an index finds, and by the rest within a month."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.desk.ids import read_id
from usage.days import today
from usage.models import ClosedDay, UsageKind, UsageRecord
from usage.reporting.links import MOST_DAYS_OF_RECORDS
from usage.reporting.question import NOBODY, BadQuestion, By, read_day
from usage.reporting.words import Names, short_day

PERIOD = ("from", "to")
DAYS = (1, 7, 30)
# Without a period of its own.
DEFAULT_DAYS = 7
WITHOUT_INDEX = ("bot", "model", "kind", "cost")
WITH_INDEX = ("person", "q")
# The newest records, among which a bot and a model of today are found that no closed day has.
NEWEST = 1_000


class PeriodFilter(admin.ListFilter):
    """Days from and to; a week at first, and a month at most, where only reading the records can tell."""

    title = _("period")
    parameter_names = PERIOD

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        asked = request.GET
        self.is_bounded = any(asked.get(name) for name in WITHOUT_INDEX) and not any(map(asked.get, WITH_INDEX))
        given = [params.pop(name)[-1] for name in PERIOD if name in params]
        self.span = self._read(given)
        self.used_parameters = dict(zip(PERIOD, given, strict=False))

    def _read(self, given: list[str]) -> tuple[date, date] | None:
        if not given:
            return (today() - timedelta(days=DEFAULT_DAYS - 1), today()) if self.is_bounded else None
        try:
            first, last = map(read_day, given)
        except (BadQuestion, ValueError) as error:
            raise IncorrectLookupParameters(str(error)) from None
        if self.is_bounded:
            first = max(first, last - timedelta(days=MOST_DAYS_OF_RECORDS - 1))
        return first, last

    @property
    def words(self) -> str:
        """Return the period in words, or nothing where it is any time."""
        return " – ".join(date_format(day) for day in sorted(set(self.span or ())))

    def expected_parameters(self) -> list[str | None]:
        """Return the parameters that are read here."""
        return [*PERIOD]

    def has_output(self) -> bool:
        """Return that there is always something to choose."""
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Yield the usual periods, and the one that is asked for."""
        if not self.is_bounded:
            query = changelist.get_query_string(remove=PERIOD)
            yield {"selected": self.span is None, "query_string": query, "display": _("Any time")}
        spans = {(today() - timedelta(days=days - 1), today()): days for days in DAYS}
        for (first, last), days in spans.items():
            words = _("Today") if days == 1 else ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
            query = changelist.get_query_string({"from": first, "to": last})
            yield {"selected": self.span == (first, last), "query_string": query, "display": words}
        if self.span and self.span not in spans:
            words = " – ".join(short_day(day) for day in sorted(set(self.span)))
            yield {"selected": True, "query_string": changelist.get_query_string(), "display": words}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the records of the period."""
        # (UsageQuerySet, which the manager makes.)
        return queryset.between(*self.span) if self.span else queryset  # type: ignore[attr-defined]


class PersonFilter(admin.SimpleListFilter):
    """The person that the report has led to; there is no list of a hundred thousand to choose from."""

    title = _("person")
    parameter_name = "person"

    def has_output(self) -> bool:
        """Return whether somebody is chosen."""
        return self.value() is not None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return who is chosen."""
        key = self.used_parameters.get(self.parameter_name, "")
        if read_id(key) is None:
            return []
        return [(key, Names([key], may_open=False).of(By.PERSON, key))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the records of a person, or of nobody."""
        if not self.lookup_choices:
            return queryset.none()
        person = int(self.lookup_choices[0][0])
        return queryset.filter(user=None if person == NOBODY else person)


class NameFilter(admin.SimpleListFilter):
    """The bots, or the models, of the last month."""

    parameter_name: str

    def has_output(self) -> bool:
        """Return whether there is something to choose, or something was chosen."""
        return super().has_output() or self.value() is not None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the names; and the one that is asked for."""
        place = ("bot", "model").index(self.parameter_name)
        chosen = self.used_parameters.get(self.parameter_name)
        names = {names[place] for names in names_of_month(request)} | ({chosen} if chosen is not None else set())
        return [(name, name or "–") for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the records of the name."""
        name = self.value()
        if name is None:
            return queryset
        return queryset.none() if "\0" in name else queryset.filter(**{self.parameter_name: name})


class BotFilter(NameFilter):
    """The bots of the last month."""

    title, parameter_name = _("bot"), "bot"


class ModelFilter(NameFilter):
    """The models of the last month, as they were asked for."""

    title, parameter_name = _("model"), "model"


class KindFilter(admin.SimpleListFilter):
    """What was paid for."""

    title, parameter_name = _("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Return the kinds."""
        return UsageKind.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the records of a kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class CostFilter(admin.SimpleListFilter):
    """Records whose price is not known."""

    title, parameter_name = _("cost"), "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Return the one choice."""
        return [("unknown", _("Without a price"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the records without a cost."""
        return queryset.filter(cost_micros=None) if self.value() == "unknown" else queryset


def names_of_month(request: HttpRequest) -> set[tuple[str, str]]:
    """Return (bot, model) of the closed days of a month and of the newest records. Two queries for a request."""
    names: set[tuple[str, str]] | None = request.__dict__.get("usage_names")
    if names is None:
        closed = ClosedDay.objects.between(today() - timedelta(days=30), today()).summed()
        month = closed.values_list("lines", flat=True)
        names = {(bot, model) for lines in month for bot, _kind, model, *_sums in lines}
        names |= set(UsageRecord.objects.order_by("-created_at").values_list("bot", "model")[:NEWEST])
        request.__dict__["usage_names"] = names
    return names
