"""What days have cost, in the admin, with the budgets of the bots."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from bot.models import Bot
from usage.admin.spends import DailySpendAdmin
from usage.models import DailySpend


@admin.register(DailySpend)
class BudgetAdmin(DailySpendAdmin):
    """The list of days, where a bot's row knows the bot's budget."""

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Add the budget of a bot's row."""
        budget = Bot.objects.filter(slug=OuterRef("bot")).values("daily_budget_micros")[:1]
        return super().get_queryset(request).annotate(bot_budget=Subquery(budget))
