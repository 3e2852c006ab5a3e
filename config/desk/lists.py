"""What every list of the operator's desk has in common. Lists stay fast however long their table is."""

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.db import models
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.admin import TabularInline as UnfoldTabularInline
from unfold.views import ChangeList

from config.desk import paginator
from config.desk.deletion import what_goes
from config.desk.lookups import declared_lookups

logger = logging.getLogger(__name__)


@cache
def sorted_by_an_index(model: type[Model]) -> frozenset[str]:
    """Return the fields by which an index sorts all rows."""
    opts = model._meta
    fields: dict[str, Any] = {field.name: field for field in opts.fields if not field.is_relation}
    found = {name for name, field in fields.items() if field.primary_key or field.unique or field.db_index}
    for index in opts.indexes:
        first = index.fields[0] if index.fields and index.condition is None else ""
        # What is no time has few values, and so many rows of each that they would still have to be sorted.
        if isinstance(fields.get(first), models.DateField):
            found.add(first)
    return frozenset(found | {"pk"})


class DeskAdmin(ModelAdmin):
    """A list and its forms. It neither counts nor sorts all of its table, and is filtered by what it declares only.

    sortable_by: other columns than those an index sorts.
    linked_lookups: lookups besides those of list_filter, which links of other pages narrow the list by. They are of
        fields that everybody sees who may open the list.
    """

    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True
    linked_lookups: ClassVar[tuple[str, ...]] = ()
    paginator = paginator.CappedPaginator
    show_full_result_count = False

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        """Return the columns that sort the list without reading all of it."""
        if self.sortable_by is not None:
            return tuple(self.sortable_by)
        fields = sorted_by_an_index(self.model)
        return [column for column in self.get_list_display(request) if self._order_of(column) in fields]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Return the list, sorted by those columns only: Django sorts by any that a link names."""
        asked = request.GET.get(ORDER_VAR, "")
        columns = [*self.get_list_display(request)]
        if self.get_actions(request):
            columns.insert(0, "action_checkbox")  # (as Django counts them)
        numbers = {str(number) for number, name in enumerate(columns) if name in self.get_sortable_by(request)}
        kept = [part for part in asked.split(".") if part.removeprefix("-") in numbers]
        if asked and ".".join(kept) != asked:
            query = request.GET.copy()
            query[ORDER_VAR] = ".".join(kept)
            request.GET = query  # type: ignore[assignment]
        return super().get_changelist_instance(request)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Return whether the list may be filtered by a lookup: others would tell what the list does not show."""
        filters = self.get_list_filter(request) if request else self.list_filter
        hierarchy = self.date_hierarchy if isinstance(self.date_hierarchy, str) else None
        if lookup in declared_lookups(self.model, filters or (), hierarchy, self.linked_lookups):
            return True
        # Neither the lookup nor its value: both are what somebody typed.
        staff = request.user.pk if request else None
        logger.warning("list_filter_refused", extra={"list": self.opts.label_lower, "staff": staff})
        return False

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Return whether a pop-up may name rows by a field: never by a relation, which has no value of its own."""
        field = next((one for one in self.opts.fields if one.name == to_field), None)
        return field is not None and bool(super().to_field_allowed(request, to_field))

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        """Do what was chosen, but not with more rows than the page says there are: it counts no further."""
        most = paginator.MOST
        if request.POST.get("select_across") == "1" and queryset[most : most + 1].exists():
            text = _("At most %(most)d rows can be acted on at once. Filter the list, and do it in parts.")
            self.message_user(request, text % {"most": most}, messages.ERROR)
            return None
        response: HttpResponseBase | None = super().response_action(request, queryset)
        return response

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, Any], set[str], list[Any]]:
        """Return what goes with rows that are to be deleted, in numbers: it may be a million others."""
        return what_goes(objs, request, self.admin_site)

    def _order_of(self, column: Any) -> str:
        """Return the field that a column sorts by."""
        own = getattr(self, column, None) if isinstance(column, str) else column
        order = getattr(own or getattr(self.model, str(column), None), "admin_order_field", column)
        return order.lstrip("-") if isinstance(order, str) else ""


class TabularInline(UnfoldTabularInline):
    """Rows of a table within a form. Each field has a name of its own: the head of its column is not its label."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return a field whose input says what it is."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", field.label)
        return field


class ReadOnlyDeskAdmin(DeskAdmin):
    """Rows that the system writes and staff only look at."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: the system adds them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what happened is not rewritten."""
        return False
