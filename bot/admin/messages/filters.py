"""Filters of the inbox and the outbox, which find rows among a million without reading them all."""

from typing import Any

from django.contrib.admin import ChoicesFieldListFilter, SimpleListFilter
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bot.models import InboundMessage, OutboundMessage

Status = OutboundMessage.Status
# Among how many of the newest messages those are looked for that have no index: they are many, or there are none.
LOOKED_AT = 100_000
# (In the database there may be others, as providers invent them; reading which would read every row.)
KINDS = {
    "text": _("text"),
    "audio": _("audio"),
    "voice": _("voice message"),
    "image": _("picture"),
    "video": _("video"),
    "document": _("document"),
    "sticker": _("sticker"),
    "location": _("location"),
    "contacts": _("contacts"),
    "order": _("order"),
    "unsupported": _("unsupported"),
    "notice": _("notice to an owner"),
    "rejected": _("unreadable"),
}


def with_status(rows: QuerySet[Any], *statuses: str) -> QuerySet[Any]:
    """Return the rows that have one of these statuses, by an index wherever they are few among a million.

    What went wrong has an index; what is to be sent belongs to a turn that is pending; what went out is looked for
    among the newest.
    """
    rows = rows.filter(status__in=statuses)
    if set(statuses) <= set(OutboundMessage.PROBLEMS):
        return rows.exclude(error_code="", doubt="")
    if set(statuses) <= set(OutboundMessage.UNSETTLED):
        stored = InboundMessage.objects.pending().filter(turn_key__isnull=False)
        return rows.filter(turn_key__in=stored.values("turn_key"))
    newest = OutboundMessage.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return rows.filter(pk__gt=newest - LOOKED_AT)


class StatusFilter(ChoicesFieldListFilter):
    """The status, found by an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the messages of the chosen status."""
        asked: Any = self.used_parameters.get(self.lookup_kwarg) or ()
        chosen = [value for value in asked if value in Status.values]
        return with_status(queryset, *chosen) if chosen else queryset


class AttentionFilter(SimpleListFilter):
    """What somebody should look at."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the one choice."""
        return [("needed", _("Needs attention"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what needs it."""
        return self.needed(queryset) if self.value() == "needed" else queryset

    def needed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of the rows that need it."""
        raise NotImplementedError


class DeadLetterFilter(AttentionFilter):
    """Of the inbox: what could not be answered."""

    def needed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the dead letters."""
        return rows.filter(state=InboundMessage.State.DEAD)


class UndecidedFilter(AttentionFilter):
    """Of the outbox: what somebody should decide about."""

    def needed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is uncertain or has failed."""
        return with_status(rows, *OutboundMessage.SENDABLE_AGAIN)


class KindFilter(SimpleListFilter):
    """What kind of message it is."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the kinds there may be."""
        return list(KINDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the messages of the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset
