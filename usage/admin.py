"""Usage in the admin: records to look at, prices to edit."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from usage.models import ModelPrice, UsageRecord
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


@admin.register(UsageRecord)
class UsageRecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was spent. Read-only: records are facts. Fast with a million rows: no full count, no filter that scans."""

    list_display = ("id", "created_at", "user", "bot", "kind", "model", "input_tokens", "output_tokens", "cost")
    list_select_related = ("user",)
    list_filter = ("created_at", "kind")
    search_fields = ("user__phone_number",)
    search_help_text = _("A whole phone number in any spelling.")
    ordering = ("-pk",)
    raw_id_fields = ("user",)
    paginator = CappedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only completions add records."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: UsageRecord | None = None) -> bool:
        """Nobody rewrites what was spent."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UsageRecord], search_term: str
    ) -> tuple[QuerySet[UsageRecord], bool]:
        """Find by person only: an index has it, while a part of a text would read every row."""
        if not search_term:
            return queryset, False
        owner = User.objects.find_by_phone_number(search_term)
        return (queryset.filter(user=owner) if owner else queryset.none()), False

    @admin.display(description=_("cost"), ordering="cost_micros")
    def cost(self, record: UsageRecord) -> str:
        """Show the cost in dollars."""
        return dollars(record.cost_micros)


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
