"""Invites in the admin: made, shared as links, revoked; never changed. (Here, because links are a channel's matter.)"""

import logging
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bot.channels.registry import CHANNELS
from bot.models import Bot
from users.desk import DeskAdmin
from users.invites import LIFETIME, InviteState, check, new_code, state_of
from users.models import Invite

logger = logging.getLogger(__name__)


def links_of(code: str) -> list[tuple[Bot, str]]:
    """Return a link for each active bot whose channel has such links."""
    found = []
    for bot in Bot.objects.filter(is_active=True).exclude(contact=""):
        channel = CHANNELS.get(bot.channel)
        link = channel.invite_link(bot.contact, code) if channel else None
        if link:
            found.append((bot, link))
    return found


class InviteForm(forms.ModelForm):  # type: ignore[type-arg]
    """Makes an invite. `maker` is who does; set by the admin."""

    maker: Any = None

    class Meta:
        model = Invite
        fields = ("person", "note", "max_uses", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "expires_at" in self.fields:  # (who may only look at invites gets a form without fields)
            self.fields["expires_at"].initial = lambda: timezone.now() + LIFETIME

    def _post_clean(self) -> None:
        self.instance.code, self.instance.created_by = new_code(), self.maker
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                check(self.instance)
            except forms.ValidationError as error:
                self.add_error(None, error)


@admin.register(Invite)
class InviteAdmin(DeskAdmin):
    """The invites, with links to share."""

    form = InviteForm
    list_display = ("code", "person", "used", "expires_at", "state", "note")
    list_select_related = ("person",)
    search_fields = ("=code", "note", "person__name")
    ordering = ("-pk",)
    actions = ("revoke",)
    autocomplete_fields = ("person",)
    fields = ("person", "note", "max_uses", "expires_at")
    readonly_fields = ("code", "share", "used", "state", "revoked_at", "created_by", "created_at")

    def get_fields(self, request: HttpRequest, obj: Invite | None = None) -> tuple[str, ...]:
        """Show the code and what to share once there is one."""
        if obj is None:
            return self.fields
        return ("code", "share", "person", "note", "used", "expires_at", "state", "created_by", "created_at")

    def get_form(self, request: HttpRequest, obj: Invite | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Build a form that knows who makes the invite."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"maker": request.user})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: who was sent the code relies on what it said."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may end invites: who may change them, though not by hand."""
        return bool(super().has_change_permission(request))

    def save_model(self, request: HttpRequest, obj: Invite, form: Any, change: bool) -> None:
        """Save the new invite."""
        super().save_model(request, obj, form, change)
        logger.info("invite_created", extra={"invite": obj.pk, "staff": request.user.pk})

    def response_add(self, request: HttpRequest, obj: Invite, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the page with the links."""
        if "_addanother" not in request.POST and "_popup" not in request.POST:
            data = request.POST.copy()
            data["_continue"] = "1"
            request.POST = data  # type: ignore[assignment]
        response: HttpResponse = super().response_add(request, obj, post_url_continue)
        return response

    @admin.display(description=_("used"))
    def used(self, invite: Invite) -> str:
        """Return how often it was used, of how often it may be."""
        return f"{invite.uses} / {invite.max_uses}"

    @admin.display(description=_("state"))
    def state(self, invite: Invite) -> str:
        """Return whether it is good still."""
        return str(state_of(invite).label)

    @admin.display(description=_("to share"))
    def share(self, invite: Invite) -> str:
        """Return the links that open a chat with the code in it, and the text to send where there is no link."""
        if state_of(invite) is not InviteState.OPEN:
            return "-"
        links = [(bot, link, link) for bot, link in links_of(invite.code)]
        text = format_html("{}: <code>/join {}</code>", _("In a chat with any bot"), invite.code)
        return format_html("{}{}", format_html_join("", '{}: <a href="{}">{}</a><br>', links), text)

    @admin.action(description=_("Revoke the selected invites"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invite]) -> None:
        """End invites before their time; who came in by them stays in."""
        ids = list(queryset.values_list("pk", flat=True))
        done = Invite.objects.filter(pk__in=ids).revoke(timezone.now())
        logger.info("staff_action", extra={"action": "revoke", "staff": request.user.pk, "ids": ids, "done": done})
        text = ngettext("%d invite was revoked.", "%d invites were revoked.", done)
        self.message_user(request, text % done, messages.SUCCESS if done else messages.WARNING)
