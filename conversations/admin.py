"""Conversations in the admin: to look at and to forget, never to rewrite.

Registered by bot/admin/messages/conversations.py, which shows them with what only the bot's tables know.
"""

from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.desk.lists import ReadOnlyDeskAdmin
from conversations.models import Conversation
from users.models import AuditEntry, User

# On one page; older ones are a click away.
SHOWN_MESSAGES = 100


class ConversationAdmin(ReadOnlyDeskAdmin):
    """Who talks with which bot, and when it is forgotten. Each look at what was said is noted in the audit log."""

    list_select_related = ("user",)
    # What makes the list offer its field; the search itself follows below.
    search_fields = ("bot",)
    search_help_text = _("A name, a phone number in any spelling, or a bot.")
    fields = ("user", "bot", "created_at", "expires_at")
    readonly_fields = fields

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show a conversation, and note in the audit log that somebody has read it."""
        response = super().change_view(request, object_id, form_url, extra_context)
        if response.status_code == HTTPStatus.OK:
            # By id: what was shown may be gone by now, and was read all the same.
            of = Conversation.objects.filter(pk=object_id).values_list("user_id", flat=True).first()
            note = {"action": AuditEntry.Action.READ, "actor": cast(User, request.user), "via": "admin"}
            AuditEntry.objects.create(**note, subject=of, details={"conversation": int(object_id)})
        return response
