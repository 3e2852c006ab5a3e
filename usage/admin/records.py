"""The list of usage records: what was paid for, one by one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import localize, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from config.desk.lists import ReadOnlyDeskAdmin
from config.desk.money import column
from usage.admin.filters import BotFilter, CostFilter, KindFilter, ModelFilter, PeriodFilter, PersonFilter
from usage.admin.showing import chip, in_one_line, person_link
from usage.models import UsageRecord
from usage.reporting.admin import ReportMixin
from users.models import User


class FactsAdmin(ReadOnlyDeskAdmin):
    """What was spent. Read-only: these are facts. Fast with a million rows: no full count, no filter that scans."""

    list_select_related = ("user",)
    search_fields = ("user__phone_number",)
    search_help_text = _("A whole phone number in any spelling.")
    # Nothing can be done to them.
    actions = None
    # An order that no index has would sort the whole table.
    sortable_by = ()

    class Media:
        """Bars, and what is kept on one line."""

        css: ClassVar = {"all": ("desk/usage.css",)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a sum whose rows are gone is wrong. The purge keeps the sums of what it deletes."""
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
class UsageRecordAdmin(ReportMixin, FactsAdmin):
    """Every call that was paid for, the newest first."""

    list_display = ("at", "person", "bot", "kind", "model", "sent", "answered", "cost")
    list_filter = (PeriodFilter, PersonFilter, BotFilter, ModelFilter, KindFilter, CostFilter)
    # (Of the dashboard and of people's pages.)
    linked_lookups = ("bot__exact", "created_at__gte", "created_at__lt", "model__exact", "user__id__exact")
    ordering = ("-created_at", "-pk")
    list_before_template = "admin/usage/usagerecord/period.html"

    @admin.display(description=_("created"))
    def at(self, record: UsageRecord) -> str:
        """Show the moment, on one line."""
        return in_one_line(localize(localtime(record.created_at)))

    @admin.display(description=_("person"))
    def person(self, record: UsageRecord) -> str:
        """Show whose call it was, with the way to them."""
        return person_link(record.user) if record.user else "–"

    @admin.display(description=_("input tokens"))
    def sent(self, record: UsageRecord) -> str:
        """Show the tokens of the prompt."""
        return number_format(record.input_tokens, force_grouping=True)

    @admin.display(description=_("output tokens"))
    def answered(self, record: UsageRecord) -> str:
        """Show the tokens of the answer."""
        return number_format(record.output_tokens, force_grouping=True)

    @admin.display(description=_("cost"))
    def cost(self, record: UsageRecord) -> str:
        """Show the cost in dollars."""
        return chip(_("unknown"), "warn") if record.cost_micros is None else column(record.cost_micros)
