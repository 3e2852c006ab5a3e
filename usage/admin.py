"""Usage in the admin: records to look at, prices to edit."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from usage.managers import day_start
from usage.models import DailySpend, ModelPrice, UsageRecord
from usage.prices import forget_prices
from usage.pricing import exact_dollars
from usage.repricing import reprice, waiting_records
from users.desk import DeskAdmin, ReadOnlyDeskAdmin
from users.models import User

# What an admin's request may look at, and price: a second or two. The rest is for manage.py reprice.
WAITING_LOOKED_AT = 10_000
REPRICED_BY_ACTION = 2_000


def dollars(micros: int | None) -> str:
    """Return micro-dollars as dollars with all their digits, and "unknown" for None."""
    return str(_("unknown")) if micros is None else exact_dollars(micros)


def waiting_for(price: ModelPrice) -> tuple[int, bool]:
    """Return how many of the newest records without a cost a price would give one, and whether there are older ones.

    Bounded, because where a model at home has no price every record is without a cost.
    """
    first_moment = day_start(price.valid_from)
    newest = list(
        waiting_records().order_by("-pk")[:WAITING_LOOKED_AT].values_list("model", "model_answered", "created_at")
    )
    waiting = sum(price.model in (asked, answered) and created >= first_moment for asked, answered, created in newest)
    return waiting, len(newest) == WAITING_LOOKED_AT


class FactsAdmin(ReadOnlyDeskAdmin):
    """What was spent. Read-only: these are facts. Fast with a million rows: no full count, no filter that scans."""

    list_select_related = ("user",)
    search_fields = ("user__phone_number",)
    search_help_text = _("A whole phone number in any spelling.")

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
class ModelPriceAdmin(DeskAdmin):
    """The operator's own prices, which override the bundled ones."""

    list_display = ("model", "valid_from", "input", "cached_input", "output")
    actions = ("price_waiting",)
    search_fields = ("model",)
    ordering = ("model", "-valid_from")

    def save_model(self, request: HttpRequest, obj: ModelPrice, form: "ModelForm[ModelPrice]", change: bool) -> None:
        """Save the price, use it from the next completion on, and say how many records have waited for it."""
        super().save_model(request, obj, form, change)
        forget_prices()
        waiting, capped = waiting_for(obj)
        if waiting:
            number = _("at least %d") % waiting if capped else str(waiting)
            self.message_user(
                request,
                _("%(number)s usage records of %(model)s have no cost. To price them, select the price and choose "
                  "“Price the records without a cost”, or run manage.py reprice.")
                % {"number": number, "model": obj.model},
                messages.INFO,
            )  # fmt: skip

    @admin.action(description=_("Price the records without a cost"), permissions=["change"])
    def price_waiting(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> None:
        """Price what waits for the selected prices' models, as much as a request has time for."""
        priced = cost = 0
        for model in queryset.order_by("model").values_list("model", flat=True).distinct():
            repriced = reprice(model=model, most=REPRICED_BY_ACTION)
            priced, cost = priced + repriced.records, cost + repriced.cost_micros
        text = ngettext("%(number)d record priced: %(cost)s.", "%(number)d records priced: %(cost)s.", priced)
        self.message_user(request, text % {"number": priced, "cost": exact_dollars(cost)})

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
