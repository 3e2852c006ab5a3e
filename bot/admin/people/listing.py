"""The list of people: what it shows of today, and its filters. Each begins with the few rows that an index finds."""

from collections.abc import Iterable
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
from usage.days import day_start, today
from usage.models import DailySpend
from usage.standing import Standing, nearly_all
from users.models import User

RECENTLY = {"7": timedelta(days=7), "30": timedelta(days=30)}


def default_cap() -> int | None:
    """Return the daily budget of who has none of their own: the smallest that one of the active bots gives them."""
    of_bots = Bot.objects.filter(is_active=True).values_list("user_daily_budget_micros", flat=True)
    caps = [settings.USER_DAILY_BUDGET_MICROS if cap is None else cap for cap in of_bots]
    return min((cap for cap in caps or [settings.USER_DAILY_BUDGET_MICROS] if cap is not None), default=None)


def today_of(people: Iterable[User]) -> dict[int, Standing]:
    """Return how the budget of each stands today. Two queries, however many they are."""
    default = default_cap()
    caps = {one.pk: default if one.daily_budget_micros is None else one.daily_budget_micros for one in people}
    return DailySpend.objects.standings_of_people(today(), caps)


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
        least = F("cap") if self.value() == "over" else nearly_all(F("cap"))
        total = F("spent_micros") + F("reserved_micros")
        spends = DailySpend.objects.filter(day=today(), user__isnull=False, bot="")
        return queryset.filter(pk__in=spends.alias(cap=cap, total=total).filter(total__gte=least).values("user"))


def _since(choice: str | None, now: datetime) -> datetime | None:
    if choice == "today":
        return day_start(today())
    return now - RECENTLY[choice] if choice in RECENTLY else None
