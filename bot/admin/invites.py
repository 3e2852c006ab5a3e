"""Invites in the admin: made, shared as links, revoked; never changed. (Here, because links are a channel's matter.)"""

import logging
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bot.admin.invite_links import shared_of
from bot.admin.parts import chip
from users.desk import DeskAdmin
from users.invites import LIFETIME, InviteState, check, new_code, state_of
from users.models import Invite

logger = logging.getLogger(__name__)

TONES = {InviteState.OPEN: "good", InviteState.REVOKED: "bad"}


class InviteForm(forms.ModelForm):  # type: ignore[type-arg]
    """Makes an invite. `maker` is who does; set by the admin."""

    maker: Any = None

    class Meta:
        model = Invite
        fields = ("person", "note", "max_uses", "expires_at")
        labels = {
            "person": _("Who is invited"),
            "note": _("Note"),
            "max_uses": _("How many people may use it"),
            "expires_at": _("Good until"),
        }
        help_texts = {
            "person": _(
                "Somebody who is in the list already: whoever uses the code becomes them. Empty: a new person."
            ),
            "note": _("What it is for, for your colleagues: “poster in the shop window”."),
            "max_uses": _("1 for one person; more for a poster or a newsletter."),
        }

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


class StateFilter(admin.SimpleListFilter):
    """Whether an invite still lets somebody in, and if not, why."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [(state.value, state.label) for state in InviteState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invite]) -> QuerySet[Invite]:
        """Keep the invites of a state, by an index each."""
        now = timezone.now()
        invites = Invite.objects.all()
        found = {
            InviteState.OPEN.value: invites.usable(now),
            InviteState.USED_UP.value: invites.used_up(),
            InviteState.EXPIRED.value: invites.expired(now),
            InviteState.REVOKED.value: invites.revoked(),
        }.get(str(self.value()))
        return queryset if found is None else queryset & found


@admin.register(Invite)
class InviteAdmin(DeskAdmin):
    """The invites, with links to share."""

    form = InviteForm
    change_form_template = "admin/users/invite/invite.html"
    list_display = ("code", "state", "used", "person", "note", "expires_at")
    list_select_related = ("person",)
    list_filter = (StateFilter,)
    search_fields = ("=code", "note", "person__name")
    search_help_text = _("A code, a note, or a name.")
    sortable_by = ("code", "expires_at")
    ordering = ("-pk",)
    actions = ("revoke",)
    autocomplete_fields = ("person",)
    fields = ("person", "note", "max_uses", "expires_at")
    readonly_fields = ("code", "used", "state", "revoked_at", "created_by", "created_at")

    def get_fields(self, request: HttpRequest, obj: Invite | None = None) -> tuple[str, ...]:
        """Show what became of an invite that is there."""
        if obj is None:
            return self.fields
        revoked = ("revoked_at",) if obj.revoked_at else ()
        return ("code", "state", "person", "note", "used", "expires_at", *revoked, "created_by", "created_at")

    def get_form(self, request: HttpRequest, obj: Invite | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Build a form that knows who makes the invite."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"maker": request.user})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show above the facts what to share."""
        invite = self.get_object(request, object_id) if self.has_view_permission(request) else None
        shown: dict[str, Any] = {"invite": invite}
        if invite and state_of(invite) is InviteState.OPEN:
            shown["shared"] = shared_of(invite.code)
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

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
    def state(self, invite: Invite) -> SafeString:
        """Return whether it is good still."""
        state = state_of(invite)
        return chip(state.label, TONES.get(state, ""))

    @admin.action(description=_("Revoke the selected invites"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invite]) -> None:
        """End invites before their time; who came in by them stays in."""
        ids = list(queryset.values_list("pk", flat=True))
        done = Invite.objects.filter(pk__in=ids).revoke(timezone.now())
        logger.info("staff_action", extra={"action": "revoke", "staff": request.user.pk, "ids": ids, "done": done})
        text = ngettext("%d invite was revoked.", "%d invites were revoked.", done)
        self.message_user(request, text % done, messages.SUCCESS if done else messages.WARNING)
