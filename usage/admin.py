"""Usage in the admin: records to look at, prices to edit."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from usage.models import DailySpend, ModelPrice, UsageRecord
from usage.prices import forget_prices
from usage.pricing import MILLION
from users.models import User
from users.paginator import CappedPaginator


def dollars(micros: int | None) -> str:
    """Return micro-dollars as dollars with all their digits, and "unknown" for None."""
    if micros is None:
        return str(_("unknown"))
    sign, (whole, rest) = "-" if micros < 0 else "", divmod(abs(micros), MILLION)
    return f"{sign}${whole:,}.{rest:06}"


class FactsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was spent. Read-only: these are facts. Fast with a million rows: no full count, no filter that scans."""

    list_select_related = ("user",)
    search_fields = ("user__phone_number",)
    search_help_text = _("A whole phone number in any spelling.")
    paginator = CappedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only completions add them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rewrites what was spent."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by person only: an index has it, while a part of a text would read every row."""
        if not search_term:
            return queryset, False
        owner = User.objects.find_by_phone_number(search_term)
        return (queryset.filter(user=owner) if owner else queryset.none()), False


@admin.register(UsageRecord)
class UsageRecordAdmin(FactsAdmin):
    """Every call that was paid for."""

    list_display = ("id", "created_at", "user", "bot", "kind", "model", "input_tokens", "output_tokens", "cost")
    list_filter = ("created_at", "kind")
    ordering = ("-pk",)

    @admin.display(description=_("cost"), ordering="cost_micros")
    def cost(self, record: UsageRecord) -> str:
        """Show the cost in dollars."""
        return dollars(record.cost_micros)


@admin.register(DailySpend)
class DailySpendAdmin(FactsAdmin):
    """What days have cost, and what turns under way have reserved."""

    list_display = ("day", "owner", "of_bot", "spent", "reserved")
    list_filter = ("day",)
    ordering = ("-pk",)

    @admin.display(description=_("person"))
    def owner(self, spend: DailySpend) -> str:
        """Show whose row it is."""
        return str(spend.user or _("everybody together"))

    @admin.display(description=_("bot"), ordering="bot")
    def of_bot(self, spend: DailySpend) -> str:
        """Show which bot's row it is."""
        return spend.bot or str(_("all bots together"))

    @admin.display(description=_("spent"), ordering="spent_micros")
    def spent(self, spend: DailySpend) -> str:
        """Show what was spent in dollars."""
        return dollars(spend.spent_micros)

    @admin.display(description=_("reserved"), ordering="reserved_micros")
    def reserved(self, spend: DailySpend) -> str:
        """Show what is reserved in dollars."""
        return dollars(spend.reserved_micros)


@admin.register(ModelPrice)
class ModelPriceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The operator's own prices, which override the bundled ones."""

    list_display = ("model", "valid_from", "input", "cached_input", "output")
    search_fields = ("model",)
    ordering = ("model", "-valid_from")

    def save_model(self, request: HttpRequest, obj: ModelPrice, form: "ModelForm[ModelPrice]", change: bool) -> None:
        """Save the price and use it from the next completion on."""
        super().save_model(request, obj, form, change)
        forget_prices()

    def delete_model(self, request: HttpRequest, obj: ModelPrice) -> None:
        """Delete the price and stop using it."""
        super().delete_model(request, obj)
        forget_prices()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> Any:
        """Delete the prices and stop using them."""
        super().delete_queryset(request, queryset)
        forget_prices()

    @admin.display(description=_("input ($ per million)"))
    def input(self, price: ModelPrice) -> str:
        """Show the rate in dollars."""
        return dollars(price.input_micros_per_million)

    @admin.display(description=_("cached input ($ per million)"))
    def cached_input(self, price: ModelPrice) -> str:
        """Show the rate in dollars."""
        rate = price.cached_input_micros_per_million
        return dollars(price.input_micros_per_million if rate is None else rate)

    @admin.display(description=_("output ($ per million)"))
    def output(self, price: ModelPrice) -> str:
        """Show the rate in dollars."""
        return dollars(price.output_micros_per_million)
