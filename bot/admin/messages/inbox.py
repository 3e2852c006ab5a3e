"""The inbox in the admin: what waits, what is done, what could not be, and why; dead letters are replayed from here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from bot.admin.messages.filters import KINDS, DeadLetterFilter, KindFilter
from bot.admin.messages.rows import ChatAdmin, PersonFilter, addresses_of, attach_people
from bot.admin.widgets import ago, chip, exact
from bot.history.delivery_status import delivery_of
from bot.history.timeline import draw, worth_telling
from bot.history.trace import trace
from bot.history.waiting import waiting_for
from bot.models import UNCERTAIN, Bot, InboundMessage, OutboundMessage
from bot.operations.figures.days import NO_FAILURE
from bot.operations.replaying import Plan, plan_of
from bot.queue import recovery
from bot.reasons import reason_of
from config.desk.confirming import confirm, is_confirmed
from config.desk.paginator import MOST
from conversations.models import Conversation
from users.permissions import Permission, may

State = InboundMessage.State
TONES: dict[str, str] = {State.PENDING: "warn", State.DONE: "good", State.DEAD: "bad", State.QUARANTINED: "bad"}


@admin.register(InboundMessage)
class InboundMessageAdmin(ChatAdmin):
    """The inbox: what waits, what is done, and what could not be."""

    change_form_template = "admin/bot/inboundmessage/change_form.html"
    list_display = ("received", "state_label", "who", "bot", "kind_label", "reason", "attempts")
    sortable_by = ("received",)
    list_filter = (DeadLetterFilter, "state", KindFilter, "bot", PersonFilter)
    # (Of the dashboard: a day's messages, by their ids as well, and those that failed for one reason.)
    linked_lookups = ("error_code__exact", "id__gte", "id__lte", "received_at__gte", "received_at__lt")
    search_fields = ("external_id",)
    search_help_text = _("A phone number in any spelling or another address, or the provider's id; each in full.")
    actions = ("replay",)
    fieldsets = (
        (None, {"fields": ("state_label", "why", "who", "bot", "kind_label")}),
        (_("Times"), {"fields": ("sent_at", "received_at", "available_at")}),
        (_("To find it elsewhere"), {"fields": ("external_id", "address", "turn_key", "request_id", "attempts")}),
    )
    readonly_fields = ("state_label", "why", "who", "kind_label")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[InboundMessage], search_term: str
    ) -> tuple[QuerySet[InboundMessage], bool]:
        """Find by whole address or by the provider's id: a part of either would read every row."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # (By bot, because the index of external ids is.)
        bots = list(Bot.objects.values_list("pk", flat=True))
        named = InboundMessage.objects.filter(bot__in=bots, external_id=term).values_list("pk", flat=True)
        ids = list(named[:100])
        return (
            queryset.filter(pk__in=ids) if ids else queryset.filter(bot__in=bots, address__in=addresses_of(term))
        ), False

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show a message with what became of it."""
        message = self.get_object(request, object_id)
        shown = self._story(request, message) if message and self.has_view_permission(request, message) else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> InboundMessage | None:
        """Return the message, with whose it is."""
        message = super().get_object(request, object_id, from_field)
        return attach_people([message])[0] if message else None

    @admin.action(description=_("Replay the selected dead letters"), permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboundMessage]) -> HttpResponse | None:
        """Let dead letters be worked on again, once that is confirmed."""
        plan = plan_of(queryset.values_list("pk", flat=True)[:MOST])
        able = queryset.filter(pk__in=plan.able)
        if not is_confirmed(request):
            others = queryset.exclude(pk__in=plan.able)
            return confirm(
                request,
                self,
                able,
                action="replay",
                title=_("Replay dead letters"),
                explanation="\n".join(
                    [
                        gettext(
                            "They are worked on again at once, each with the other messages of its turn. Replay when "
                            "the cause is gone: what fails again is a dead letter again."
                        ),
                        *plan.lines,
                    ]
                ),
                rows=self._told(able),
                count=len(plan.able),
                left_out=[self._with_why(row, plan) for row in self._rows(others)],
                left_out_count=others[:MOST].count(),
                confirm_label=_("Replay"),
            )
        done = self.act_on(request, able, recovery.replay)
        self.tell(request, done, ngettext("%d message is worked on again.", "%d messages are worked on again.", done))
        return None

    def _with_why(self, row: InboundMessage, plan: Plan) -> str:
        why = plan.hopeless.get(row.pk)
        return f"{self.told(row)} · {why}" if why else self.told(row)

    @admin.display(description=_("received"), ordering="pk")
    def received(self, message: InboundMessage) -> str:
        """Return how long ago it was received."""
        return ago(message.received_at)

    @admin.display(description=_("state"))
    def state_label(self, message: InboundMessage) -> str:
        """Return its state as a coloured label; of what waits, since when."""
        if message.state == State.DONE and message.error_code not in NO_FAILURE:
            # (An apology that was sent is no answer.)
            unknown = message.error_code.partition(":")[0] == UNCERTAIN
            return chip(_("uncertain") if unknown else _("not answered"), "warn")
        label = chip(message.get_state_display(), TONES.get(message.state, ""))
        if message.state != State.PENDING:
            return label
        return format_html("{} <small>{}</small>", label, ago(message.available_at))

    @admin.display(description=_("kind"))
    def kind_label(self, message: InboundMessage) -> str:
        """Return what kind of message it is."""
        return str(KINDS.get(message.kind, message.kind))

    @admin.display(description=_("reason"))
    def why(self, message: InboundMessage) -> str:
        """Return why it ended as it did and what can be done, or what it waits for."""
        if message.state == State.PENDING:
            return standing(message)
        unreadable = message.payload.get("reason", "") if message.state == State.QUARANTINED else ""
        code = message.error_code
        told = [str(reason_of(code, message.bot.channel) or ""), unreadable, code and f"[{code}]"]
        return " ".join(text for text in told if text) or str(_("It ended well."))

    def _story(self, request: HttpRequest, message: InboundMessage) -> dict[str, Any]:
        # (No turn has the key 0.)
        parts = OutboundMessage.objects.filter(turn_key=message.turn_key or 0).order_by("part").defer("text")
        hopeless = plan_of([message.pk]).hopeless.get(message.pk, "") if message.state == State.DEAD else ""
        return {
            "lines": draw(list(worth_telling(trace(message).steps))),
            "parts": [delivery_of(part, message.bot.channel) for part in parts],
            "conversation": conversation_of(request, message),
            "may_replay": message.state == State.DEAD and self.has_act_permission(request) and not hopeless,
            "hopeless": hopeless,
            "reason": reason_of(message.error_code, message.bot.channel),
        }


def conversation_of(request: HttpRequest, row: Any) -> Conversation | None:
    """Return the conversation that a row of a chat belongs to, for who may see it."""
    if row.person is None or not may(request.user, Permission.SEE_CONVERSATIONS):  # type: ignore[arg-type]
        return None
    return Conversation.objects.filter(user=row.person, bot=row.bot.slug).first()


def standing(message: InboundMessage) -> str:
    """Return what a pending message waits for, in words."""
    waits = waiting_for(message)
    if waits.paused:
        return str(_("The bot is paused: it is answered when the bot is resumed."))
    if waits.worker:
        return _("A worker is at it (%(worker)s).") % {"worker": waits.worker}
    if waits.until:
        return _("It is tried again at %(time)s.") % {"time": exact(waits.until)}
    return str(_("It waits for a worker."))
