"""The chats that are being worked on, in the admin: by which worker, and until when it has them."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bot.admin.messages.rows import ChatAdmin, PersonFilter, attach_people
from bot.admin.widgets import ago, chip
from bot.models import Lease


class HeldFilter(SimpleListFilter):
    """Whether chats are under way: unless asked otherwise, only those are shown."""

    title = _("which")
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return what there is besides those that are under way."""
        return [("all", _("All chats")), ("deaths", _("Those whose workers died"))]

    def choices(self, changelist: Any) -> Any:
        """Name the default."""
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Under way")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen leases."""
        if self.value() == "deaths":
            return queryset.filter(deaths__gt=0)
        return queryset if self.value() == "all" else queryset.filter(expires_at__gt=timezone.now())


@admin.register(Lease)
class LeaseAdmin(ChatAdmin):
    """Who works on which chat."""

    list_display = ("who", "bot", "standing", "worker", "until", "workers_lost")
    list_display_links = ("standing",)
    sortable_by = ("until",)
    list_filter = (HeldFilter, "bot", PersonFilter)
    fieldsets = (
        (None, {"fields": ("who", "bot", "standing", "worker", "expires_at", "workers_lost")}),
        (_("To find it elsewhere"), {"fields": ("address", "fence", "deaths")}),
    )
    readonly_fields = ("who", "standing", "workers_lost")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the lease, with whose chat it is."""
        lease = super().get_object(request, object_id, from_field)
        return attach_people([lease])[0] if lease else None

    @admin.display(description=_("state"))
    def standing(self, lease: Lease) -> str:
        """Return in words how the chat stands."""
        if lease.expires_at <= timezone.now():
            if lease.worker:
                return chip(_("left behind by a worker: the next one takes it over"), "warn")
            return chip(_("free"))
        return chip(_("a worker answers"), "good") if lease.worker else chip(_("put off: it is tried again"), "warn")

    @admin.display(description=_("until"), ordering="expires_at")
    def until(self, lease: Lease) -> str:
        """Return when the right to work on it ends, unless it is renewed."""
        return ago(lease.expires_at)

    @admin.display(description=_("workers lost"))
    def workers_lost(self, lease: Lease) -> str:
        """Return how many workers have died with it."""
        if not lease.deaths:
            return "–"
        text = ngettext("%d worker died with it", "%d workers died with it, one after the other", lease.deaths)
        return chip(text % lease.deaths, "bad")
