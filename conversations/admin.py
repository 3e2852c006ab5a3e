"""Conversations in the admin: to look at and to forget, never to rewrite."""

from http import HTTPStatus
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation
from users.desk import ReadOnlyDeskAdmin
from users.models import AuditEntry, User

SHOWN_MESSAGES = 50


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyDeskAdmin):
    """Who talks with which bot, the last messages, and when they are forgotten."""

    list_display = ("id", "user", "bot", "created_at", "expires_at")
    list_select_related = ("user",)
    list_filter = ("expires_at",)
    search_fields = ("user__name", "user__phone_number", "bot")
    search_help_text = _("A name, a phone number in any spelling, or a bot.")
    ordering = ("-pk",)
    fields = ("user", "bot", "created_at", "expires_at", "recent_messages")
    readonly_fields = fields

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show a conversation, and note in the audit log that somebody has read it."""
        response = super().change_view(request, object_id, form_url, extra_context)
        if response.status_code == HTTPStatus.OK:
            # (By id: what was shown may be gone by now, and was read all the same.)
            of = Conversation.objects.filter(pk=object_id).values_list("user_id", flat=True).first()
            note = {"action": AuditEntry.Action.READ, "actor": cast(User, request.user), "via": "admin"}
            AuditEntry.objects.create(**note, subject=of, details={"conversation": int(object_id)})
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """Find by person and bot; a whole number however it is written."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        owner = User.objects.find_by_phone_number(search_term) if search_term else None
        return (found | queryset.filter(user_id=owner.pk) if owner else found), duplicates

    @admin.display(description=_("last messages"))
    def recent_messages(self, conversation: Conversation) -> SafeString:
        """Show the end of the conversation, oldest first."""
        newest = list(conversation.messages.order_by("-pk")[:SHOWN_MESSAGES])
        rows = (
            (m.created_at.strftime("%Y-%m-%d %H:%M UTC"), m.get_role_display(), m.content) for m in reversed(newest)
        )
        return format_html_join(
            "", '<p><strong>{1}</strong> <small>{0}</small><br><span style="white-space: pre-wrap">{2}</span></p>', rows
        )
