"""The list of what days have cost: everybody, each bot, each person, and how much of their budgets that is."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import BigIntegerField, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.desk.money import column, exact
from usage.admin.records import FactsAdmin
from usage.admin.showing import chip, gauge, person_link
from usage.budgets import user_cap
from usage.days import today
from usage.models import DailySpend
from usage.models.budgets import OWNER
from users.models import User

IS_PERSONS = Q(user__isnull=False)


def of_nobody(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Keep the rows of everybody together and of bots, said in the words of either index: a planner may choose."""
    nobodys: QuerySet[Any] = rows.of_owner(None).filter(user=None)  # type: ignore[attr-defined]
    return nobodys


class DayFilter(admin.SimpleListFilter):
    """The days that are looked at."""

    title, parameter_name = _("day"), "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Return the choices, each as "first-last": so many days ago."""
        return [("0-0", _("Today")), ("1-1", _("Yesterday")), ("6-0", _("7 days")), ("29-0", _("30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the days."""
        if self.value() not in dict(self.lookup_choices):
            return queryset
        first, last = (today() - timedelta(days=int(ago)) for ago in str(self.value()).split("-"))
        # (People's rows are in one index, the others in another.)
        of_either: QuerySet[Any] = queryset.alias(person=OWNER).filter(IS_PERSONS | Q(person=0))
        return of_either.filter(day__gte=first, day__lte=last)


class OwnerFilter(admin.SimpleListFilter):
    """Whose rows."""

    title, parameter_name = _("whose"), "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Return the three kinds of rows."""
        return [("everybody", _("Everybody")), ("bots", _("Bots")), ("people", _("People"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of a kind: by the expressions that the indexes have."""
        everybodys = of_nobody(queryset)
        if self.value() == "everybody":
            return everybodys.filter(bot="")
        if self.value() == "bots":
            return everybodys.filter(bot__gt="")
        return queryset.filter(IS_PERSONS) if self.value() == "people" else queryset


# (Registered by bot/admin/operations/spends.py, which knows the bots' budgets.)
class DailySpendAdmin(FactsAdmin):
    """The newest first, and above them what today has cost everybody and each bot."""

    list_display = ("day", "whose", "spent", "of_budget", "reserved")
    list_filter = (DayFilter, OwnerFilter)
    ordering = ("-pk",)
    list_before_template = "admin/usage/dailyspend/today.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[DailySpend]:
        """Add the budget of a bot's row."""
        days: QuerySet[DailySpend] = super().get_queryset(request)
        return days.annotate(bot_budget=Value(None, output_field=BigIntegerField()))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by days what an index has by days; all rows together are in the order in which they were begun."""
        by_day = {"everybody": ("-day",), "bots": ("-day", "bot"), "people": ("-day", "-pk")}
        return by_day.get("everybody" if request.GET.get("q") else request.GET.get("of", ""), self.ordering)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by person, as the index has people."""
        if not search_term:
            return queryset, False
        owner = User.objects.find_by_phone_number(search_term)
        rows: Any = queryset
        return (rows.of_person(owner.pk) if owner else rows.none()), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add what today has cost everybody and the bots."""
        of_today = of_nobody(self.get_queryset(request)).filter(day=today()).order_by("bot")
        rows = [(self.whose(row), self.spent(row), self.of_budget(row), self.reserved(row)) for row in of_today]
        page: HttpResponse = super().changelist_view(request, {"of_today": rows, **(extra_context or {})})
        return page

    @admin.display(description=_("whose"))
    def whose(self, spend: DailySpend) -> str:
        """Show whose row it is: a person's, a bot's, or everybody's."""
        if spend.user is not None:
            return person_link(spend.user)
        if spend.bot:
            return format_html("{} {}", chip(_("bot")), spend.bot)
        return format_html("{} {}", chip(_("everybody together"), "good"), _("all bots together"))

    @admin.display(description=_("spent"))
    def spent(self, spend: DailySpend) -> str:
        """Show what was spent in dollars."""
        return column(spend.spent_micros)

    @admin.display(description=_("of the present budget"))
    def of_budget(self, spend: DailySpend) -> str:
        """Show how much of its budget that is, as the budget is now: what it was on that day is not kept."""
        budget = self.budget_of(spend)
        if budget is None:
            return "–"
        share = spend.spent_micros / budget if budget else 1.0
        # (number_format cuts off, it does not round.)
        percent = number_format(round(share * 100, 1), 1)
        return gauge(share, _("%(percent)s %% of %(budget)s") % {"percent": percent, "budget": exact(budget)})

    @admin.display(description=_("reserved"))
    def reserved(self, spend: DailySpend) -> str:
        """Show what is reserved in dollars: turns that are being answered."""
        return column(spend.reserved_micros) if spend.reserved_micros else "–"

    @staticmethod
    def budget_of(spend: DailySpend) -> int | None:
        """Return the budget in force of a row's owner, or None. (What a bot allows each person is not in it.)"""
        if spend.user is not None:
            return user_cap(spend.user, None)
        budget: int | None = getattr(spend, "bot_budget", None) if spend.bot else settings.DAILY_BUDGET_MICROS
        return budget
