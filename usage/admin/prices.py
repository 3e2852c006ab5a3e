"""The operator's own prices: which is in force, which was, and what the bundled one would be."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Min, OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.desk.confirming import confirm, is_confirmed
from config.desk.lists import DeskAdmin
from config.desk.money import column, exact
from usage.admin.price_form import ModelPriceForm
from usage.admin.showing import chip
from usage.days import today
from usage.models import ModelPrice
from usage.prices import bundled_price, forget_prices
from usage.repricing import reprice
from usage.waiting import unpriced_models, waiting_for

# What a request may price: a second or two. The rest is for manage.py reprice.
REPRICED_BY_ACTION = 2_000


@admin.register(ModelPrice)
class ModelPriceAdmin(DeskAdmin):
    """Each model's prices together, the newest first."""

    form = ModelPriceForm
    list_display = ("model", "state", "valid_from", "until", "input", "cached_input", "output", "bundled")
    list_before_template = "admin/usage/modelprice/unpriced.html"
    actions = ("price_waiting",)
    search_fields = ("model",)
    ordering = ("model", "-valid_from")
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelPrice]:
        """Add from when on the model's next price counts."""
        later = ModelPrice.objects.filter(model=OuterRef("model"), valid_from__gt=OuterRef("valid_from")).order_by()
        following = later.values("model").annotate(first=Min("valid_from")).values("first")
        prices: QuerySet[ModelPrice] = super().get_queryset(request)
        return prices.annotate(next_from=Subquery(following))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Tell the page which models have no price."""
        unpriced, is_capped = unpriced_models()
        shown = {"unpriced": unpriced, "unpriced_is_capped": is_capped, "may_add": self.has_add_permission(request)}
        page: HttpResponse = super().changelist_view(request, {**shown, **(extra_context or {})})
        return page

    def save_model(self, request: HttpRequest, obj: ModelPrice, form: "ModelForm[ModelPrice]", change: bool) -> None:
        """Save the price, use it from the next completion on, and say what it does not do by itself."""
        super().save_model(request, obj, form, change)
        forget_prices()
        if obj.valid_from < today():
            text = _("%(day)s is in the past. What has a cost since then keeps it; the price counts for what comes, "
                     "and for records that have none.")  # fmt: skip
            self.message_user(request, text % {"day": date_format(obj.valid_from)}, messages.WARNING)
        counts, is_capped = waiting_for([obj])
        if waiting := counts[obj.model]:
            number = _("at least %d") % waiting if is_capped else str(waiting)
            self.message_user(
                request,
                _("%(number)s usage records of %(model)s have no cost. To price them, select the price and choose "
                  "“Price the records without a cost”, or run manage.py reprice.")
                % {"number": number, "model": obj.model},
                messages.INFO,
            )  # fmt: skip

    @admin.action(description=_("Price the records without a cost"), permissions=["change"])
    def price_waiting(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> HttpResponse | None:
        """Price what waits for the selected prices' models, as much as a request has time for; ask first."""
        if not is_confirmed(request):
            return self._ask(request, queryset)
        priced = cost = 0
        for model in queryset.order_by("model").values_list("model", flat=True).distinct():
            repriced = reprice(model=model, most=REPRICED_BY_ACTION)
            priced, cost = priced + repriced.records, cost + repriced.cost_micros
        text = ngettext("%(number)d record priced: %(cost)s.", "%(number)d records priced: %(cost)s.", priced)
        self.message_user(request, text % {"number": priced, "cost": column(cost)})
        return None

    def _ask(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> HttpResponse:
        models = queryset.order_by().values("model")
        counts, is_capped = waiting_for(list(ModelPrice.objects.filter(model__in=models)))
        explanation = _("Each record gets the price of its own day, and the spending of that day is corrected. A cost "
                        "that is known never changes. At most %(most)d of a model are priced at once.")  # fmt: skip
        return confirm(
            request,
            self,
            queryset,
            action="price_waiting",
            title=_("Price the records without a cost"),
            explanation=explanation % {"most": REPRICED_BY_ACTION},
            rows=list(_in_words(counts, is_capped)),
            confirm_label=_("Price them"),
        )

    def delete_model(self, request: HttpRequest, obj: ModelPrice) -> None:
        """Delete the price and stop using it."""
        super().delete_model(request, obj)
        forget_prices()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> Any:
        """Delete the prices and stop using them."""
        super().delete_queryset(request, queryset)
        forget_prices()

    @admin.display(description=_("state"))
    def state(self, price: ModelPrice) -> str:
        """Show whether it is the price of today."""
        if price.valid_from > today():
            return chip(_("to come"), "warn")
        following = getattr(price, "next_from", None)
        return chip(_("past")) if following and following <= today() else chip(_("in force"), "good")

    @admin.display(description=_("until"))
    def until(self, price: ModelPrice) -> str:
        """Show the last day it counts on."""
        following = getattr(price, "next_from", None)
        return date_format(following - timedelta(days=1)) if following else "–"

    @admin.display(description=_("input"))
    def input(self, price: ModelPrice) -> str:
        """Show the rate in dollars for a million tokens."""
        return exact(price.input_micros_per_million)

    @admin.display(description=_("cached"))
    def cached_input(self, price: ModelPrice) -> str:
        """Show the rate in dollars for a million tokens."""
        rate = price.cached_input_micros_per_million
        return exact(price.input_micros_per_million if rate is None else rate)

    @admin.display(description=_("output"))
    def output(self, price: ModelPrice) -> str:
        """Show the rate in dollars for a million tokens."""
        return exact(price.output_micros_per_million)

    @admin.display(description=_("bundled: input / cached / output"))
    def bundled(self, price: ModelPrice) -> str:
        """Show what the model would cost without this price, on the first day it counts."""
        known = bundled_price(price.model, settings.OPENAI_BASE_URL, min(price.valid_from, today()))
        if known is None:
            return "–"
        cached = known.cached_input_micros_per_million
        rates = (known.input_micros_per_million, known.input_micros_per_million if cached is None else cached)
        return " / ".join(exact(rate) for rate in (*rates, known.output_micros_per_million))


def _in_words(counts: dict[str, int], is_capped: bool) -> Iterable[str]:
    for model, count in sorted(counts.items()):
        if count:
            words = ngettext("%(model)s: %(number)d record", "%(model)s: %(number)d records", count)
            yield words % {"model": model, "number": count} + ("+" if is_capped else "")
