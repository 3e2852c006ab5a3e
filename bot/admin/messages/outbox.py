"""The outbox in the admin: what was sent and what became of it; what nobody knows the end of is decided here."""

from http import HTTPStatus
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bot.admin.messages.filters import StatusFilter, UndecidedFilter
from bot.admin.messages.inbox import conversation_of
from bot.admin.messages.rows import ChatAdmin, PersonFilter, addresses_of, attach_people
from bot.admin.widgets import ago, chip
from bot.history.delivery_status import TICKS, TONES, delivery_of
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.queue import recovery
from bot.reasons import reason_of
from config.desk.confirming import is_confirmed
from config.desk.ids import read_id
from users.models import AuditEntry, User
from users.permissions import Permission, may

Status = OutboundMessage.Status


@admin.register(OutboundMessage)
class OutboundMessageAdmin(ChatAdmin):
    """The outbox: what was sent and what became of it. Texts are shown to who may see conversations."""

    change_form_template = "admin/bot/outboundmessage/change_form.html"
    list_display = ("created", "status_label", "who", "bot", "place", "reason", "attempts")
    sortable_by = ("created",)
    list_filter = (UndecidedFilter, ("status", StatusFilter), "bot", PersonFilter)
    # (Of the dashboard: what went out on a day, by ids as well.)
    linked_lookups = ("status__in", "id__gte", "id__lte", "created_at__gte", "created_at__lt")
    search_fields = ("external_id",)
    search_help_text = _(
        "A phone number in any spelling or another address, the provider's id or the turn's; each in full."
    )
    actions = ("mark_sent", "send_again")
    readonly_fields = ("status_label", "why", "who", "words")

    def get_fieldsets(self, request: HttpRequest, obj: OutboundMessage | None = None) -> Any:
        """Leave out the text for who may not see conversations."""
        words = ("words",) if may_read(request) else ()
        return (
            (None, {"fields": ("status_label", "why", *words, "who", "bot", "part", "filename")}),
            (_("Times"), {"fields": ("created_at", "sending_at", "sent_at", "delivered_at", "read_at", "updated_at")}),
            (_("To find it elsewhere"), {"fields": ("external_id", "address", "turn_key", "attempts")}),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutboundMessage], search_term: str
    ) -> tuple[QuerySet[OutboundMessage], bool]:
        """Find by whole address, by the provider's id, or by the turn."""
        term = search_term.strip()
        if not term:
            return queryset, False
        bots = list(Bot.objects.values_list("pk", flat=True))
        named = OutboundMessage.objects.filter(bot__in=bots, external_id=term)
        ids = list(named.values_list("pk", flat=True)[:100])
        if not ids and (turn_key := read_id(term)) is not None:
            ids = list(OutboundMessage.objects.filter(turn_key=turn_key).values_list("pk", flat=True))
        return (
            queryset.filter(pk__in=ids) if ids else queryset.filter(bot__in=bots, address__in=addresses_of(term))
        ), False

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show a message; that somebody read its text is noted in the audit log."""
        message = self.get_object(request, object_id)
        shown = self._around(request, message) if message and self.has_view_permission(request, message) else {}
        response = super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})
        if message and response.status_code == HTTPStatus.OK and may_read(request) and readable(message):
            AuditEntry.objects.create(
                action=AuditEntry.Action.READ,
                actor=cast(User, request.user),
                via="admin",
                subject=message.person.pk if message.person else None,
                details={"outbound": message.pk},
            )
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the message, with whose it is."""
        message = super().get_object(request, object_id, from_field)
        return attach_people([message])[0] if message else None

    @admin.action(description=_("Mark the selected uncertain as sent"), permissions=["act"])
    def mark_sent(self, request: HttpRequest, queryset: QuerySet[OutboundMessage]) -> HttpResponse | None:
        """Record that messages arrived whose end nobody knew, once that is confirmed."""
        if not is_confirmed(request):
            return self.ask(
                *(request, queryset, queryset.filter(status=Status.UNCERTAIN), "mark_sent"),
                title=_("Mark as sent"),
                explanation=_(
                    "Say so when you have seen them in the chat, or the person has them. The rest of their replies, "
                    "which was held back, is sent now."
                ),
                confirm_label=_("Mark as sent"),
            )
        done = self.act_on(request, queryset, recovery.mark_sent)
        self.tell(request, done, ngettext("%d message marked as sent.", "%d messages marked as sent.", done))
        return None

    @admin.action(description=_("Send the selected again (may arrive twice)"), permissions=["act"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboundMessage]) -> HttpResponse | None:
        """Send messages again whose end nobody knows, or that failed, once that is confirmed."""
        if not is_confirmed(request):
            able = queryset.filter(status__in=OutboundMessage.SENDABLE_AGAIN).exclude(text="")
            return self.ask(
                *(request, queryset, able, "send_again"),
                title=_("Send again"),
                explanation=_(
                    "They are sent now, and what comes after them in their replies. One that did arrive arrives "
                    "twice. What has no text any more cannot be sent: it is emptied a day after it was written."
                ),
                confirm_label=_("Send again"),
                danger=True,
            )
        done = self.act_on(request, queryset, recovery.send_again)
        self.tell(request, done, ngettext("%d message is sent again.", "%d messages are sent again.", done))
        return None

    @admin.display(description=_("created"), ordering="pk")
    def created(self, message: OutboundMessage) -> str:
        """Return how long ago it was stored."""
        return ago(message.created_at)

    @admin.display(description=_("status"))
    def status_label(self, message: OutboundMessage) -> str:
        """Return its status as a coloured label with its ticks."""
        label = f"{TICKS.get(message.status, '')} {message.get_status_display()}".strip()
        return chip(label, TONES.get(message.status, ""))

    @admin.display(description=_("what"))
    def place(self, message: OutboundMessage) -> str:
        """Return which part of its turn's reply it is, and the name of a document."""
        part = _("turn %(turn)d, part %(part)d") % {"turn": message.turn_key, "part": message.part}
        return format_html("{}<br>{}", part, message.filename) if message.filename else part

    @admin.display(description=_("reason"))
    def why(self, message: OutboundMessage) -> str:
        """Return what its status means and what can be done, in words."""
        reason = reason_of(message.code, message.bot.channel)
        return f"{reason} [{message.code}]" if reason else str(_("Nothing went wrong."))

    @admin.display(description=_("text"))
    def words(self, message: OutboundMessage) -> str:
        """Return the text, or why there is none to be read."""
        if message.filename:
            return str(_("A document: everything that is held about somebody may stand in it. It is not shown here."))
        if not message.text:
            return str(_("No longer kept: it arrived, or was written more than a day ago."))
        return format_html('<span class="desk-text">{}</span>', message.text)

    def _around(self, request: HttpRequest, message: OutboundMessage) -> dict[str, Any]:
        others = OutboundMessage.objects.filter(turn_key=message.turn_key).exclude(pk=message.pk).order_by("part")
        may_act = self.has_act_permission(request)
        return {
            "others": [delivery_of(part, message.bot.channel) for part in others.defer("text")],
            "first": InboundMessage.objects.filter(pk=message.turn_key).only("pk").first(),
            "conversation": conversation_of(request, message),
            "may_mark": may_act and message.status == Status.UNCERTAIN,
            "may_send": may_act and message.status in OutboundMessage.SENDABLE_AGAIN and bool(message.text),
            "reason": reason_of(message.code, message.bot.channel),
        }


def may_read(request: HttpRequest) -> bool:
    """Return whether somebody may see what was said."""
    return may(cast(User, request.user), Permission.SEE_CONVERSATIONS)


def readable(message: OutboundMessage) -> bool:
    """Return whether there is a text to be read."""
    return bool(message.text) and not message.filename
