"""The list of people: what it shows of today, and its filters. Each begins with the few rows that an index finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from bot.models import Bot
from usage.managers import day_start, today
from usage.models import DailySpend
from users.models import User

# Of a budget: so much is nearly all. (A fifth is left: sums of whole numbers only.)
LEFT = 5
RECENTLY = {"7": timedelta(days=7), "30": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class Today:
    """What somebody has spent today, with what is reserved for answers under way, and of what budget, if any."""

    spent_micros: int
    cap_micros: int | None

    @property
    def tone(self) -> str:
        """How bad it is, as chips and gauges have it."""
        if self.cap_micros is None or self.spent_micros < self.cap_micros - self.cap_micros // LEFT:
            return ""
        return "bad" if self.spent_micros >= self.cap_micros else "warn"

    @property
    def percent(self) -> int:
        """How much of the budget is used, to 100."""
        return min(100, 100 * self.spent_micros // self.cap_micros) if self.cap_micros else 100


def default_cap() -> int | None:
    """Return the daily budget of who has none of their own: the smallest that one of the active bots gives them."""
    of_bots = Bot.objects.filter(is_active=True).values_list("user_daily_budget_micros", flat=True)
    caps = [settings.USER_DAILY_BUDGET_MICROS if cap is None else cap for cap in of_bots]
    return min((cap for cap in caps or [settings.USER_DAILY_BUDGET_MICROS] if cap is not None), default=None)


def today_of(people: Iterable[User]) -> dict[int, Today]:
    """Return what each has spent today. Two queries, however many they are."""
    people, default = list(people), default_cap()
    spends = DailySpend.objects.filter(day=today(), user__in=[person.pk for person in people], bot="")
    spent = {one.user_id: one.spent_micros + one.reserved_micros for one in spends}
    return {
        person.pk: Today(
            spent.get(person.pk, 0), default if person.daily_budget_micros is None else person.daily_budget_micros
        )
        for person in people
    }


class PeopleList(ChangeList):
    """A page of people, who carry what they have spent today: their `today`."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, and for all who are on it what they have spent."""
        super().get_results(request)
        people: list[Any] = list(self.result_list)
        found = today_of(people)
        for person in people:
            person.today = found[person.pk]
        self.result_list = people


class SeenFilter(admin.SimpleListFilter):
    """When somebody last wrote to a bot."""

    title = _("last seen")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [
            ("today", _("Today")),
            ("7", _("In the last 7 days")),
            ("30", _("In the last 30 days")),
            ("longer", _("Longer ago")),
            ("never", _("Never")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """Keep who was seen then."""
        value, now = self.value(), timezone.now()
        if value == "never":
            return queryset.filter(last_seen_at=None)
        if value == "longer":
            return queryset.filter(last_seen_at__lt=now - RECENTLY["30"])
        return queryset if (since := _since(value, now)) is None else queryset.filter(last_seen_at__gte=since)


def order_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the list's order: who was seen last first where that is what one looks for, else who is new.

    Each is an index's. (Who was never seen would come first in the one and last in the other database.)
    """
    asked = request.GET.get(SeenFilter.parameter_name, "")
    return ("-last_seen_at", "-pk") if asked in ("today", "longer", *RECENTLY) else ("-pk",)


class BudgetFilter(admin.SimpleListFilter):
    """How much of their budget people have used today: found among those who have spent something today."""

    title = _("budget of today")
    parameter_name = "budget"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("over", _("Used up")), ("near", _("80 percent used, or more"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """Keep who has used so much of it."""
        if self.value() not in ("over", "near"):
            return queryset
        cap = Coalesce(F("user__daily_budget_micros"), Value(default_cap()))
        least = F("cap") if self.value() == "over" else F("cap") - F("cap") / LEFT
        total = F("spent_micros") + F("reserved_micros")
        spends = DailySpend.objects.filter(day=today(), user__isnull=False, bot="")
        return queryset.filter(pk__in=spends.alias(cap=cap, total=total).filter(total__gte=least).values("user"))


def _since(choice: str | None, now: datetime) -> datetime | None:
    if choice == "today":
        return day_start(today())
    return now - RECENTLY[choice] if choice in RECENTLY else None
