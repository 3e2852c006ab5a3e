"""What every list of the operator's desk has in common. Lists stay fast however long their table is."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline as UnfoldTabularInline

from config.desk.long_lists import LongListAdmin

__all__ = ["DeskAdmin", "ReadOnlyDeskAdmin", "TabularInline"]


class DeskAdmin(LongListAdmin):
    """A list and its forms: never a full count, fifty rows a page, filters in a sheet of their own."""

    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True


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
