"""What the queue and the outbox hold, in the admin; and what staff can do for messages that did not arrive."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bot import recovery
from bot.models import InboundMessage, Lease, OutboundMessage
from users.desk import ReadOnlyDeskAdmin

logger = logging.getLogger(__name__)


class ReadOnlyAdmin(ReadOnlyDeskAdmin):
    """Rows that come from webhooks and workers: a changed one would tell the worker something that did not happen."""

    list_select_related: tuple[str, ...] = ("bot",)

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may decide what becomes of messages: who may change them, though not by hand."""
        return bool(super(ReadOnlyDeskAdmin, self).has_change_permission(request))

    def act_on(self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[[Iterable[int]], int]) -> int:
        """Do something to the selected messages, note in the log who did, and return how many it was done to."""
        ids = list(queryset.values_list("pk", flat=True))
        done = act(ids)
        logger.info("staff_action", extra={"action": act.__name__, "staff": request.user.pk, "ids": ids, "done": done})
        return done

    def tell(self, request: HttpRequest, done: int, sentence: str) -> None:
        """Say how many messages something was done to."""
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, sentence % done, level)


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    """The inbox: what waits, what is done, and what could not be."""

    list_display = ("id", "bot", "kind", "state", "attempts", "error_code", "received_at")
    list_filter = ("state", "kind", "bot")
    search_fields = ("=external_id", "=address")
    actions = ("replay",)
    fields = (
        "bot",
        "external_id",
        "address",
        "kind",
        "state",
        "turn_key",
        "attempts",
        "error_code",
        "sent_at",
        "received_at",
        "available_at",
    )

    @admin.action(description=_("Replay the selected dead letters"), permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboundMessage]) -> None:
        """Let dead letters be worked on again."""
        done = self.act_on(request, queryset, recovery.replay)
        self.tell(request, done, ngettext("%d message is worked on again.", "%d messages are worked on again.", done))


@admin.register(OutboundMessage)
class OutboundMessageAdmin(ReadOnlyAdmin):
    """The outbox: what was sent and what became of it."""

    list_display = ("id", "bot", "turn_key", "part", "filename", "status", "attempts", "error_code", "created_at")
    list_filter = ("status", "bot")
    search_fields = ("=external_id", "=address", "=turn_key")
    actions = ("mark_sent", "send_again")

    def get_exclude(self, request: HttpRequest, obj: OutboundMessage | None = None) -> Any:
        """Leave out the content of a document: everything that is held about somebody may stand in it."""
        return ("text",) if obj and obj.filename else super().get_exclude(request, obj)

    @admin.action(description=_("Mark the selected uncertain as sent"), permissions=["act"])
    def mark_sent(self, request: HttpRequest, queryset: QuerySet[OutboundMessage]) -> None:
        """Record that messages arrived whose end nobody knew."""
        done = self.act_on(request, queryset, recovery.mark_sent)
        self.tell(request, done, ngettext("%d message marked as sent.", "%d messages marked as sent.", done))

    @admin.action(description=_("Send the selected again (may arrive twice)"), permissions=["act"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboundMessage]) -> None:
        """Send messages again whose end nobody knows, or that failed."""
        done = self.act_on(request, queryset, recovery.send_again)
        self.tell(request, done, ngettext("%d message is sent again.", "%d messages are sent again.", done))


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    """Who works on which chat."""

    list_display = ("id", "bot", "worker", "fence", "deaths", "expires_at")
