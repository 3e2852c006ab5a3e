"""Invites in the admin: made, their code shown once, revoked, never changed.

They are here and not with people, because links are a channel's matter.
Who may not make an invite sees nothing of it: every page, list, filter, search and action starts at get_queryset.
"""

import logging
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from bot.admin.people.invite_links import shared_of
from bot.admin.widgets import chip
from config.desk.lists import DeskAdmin
from users.invites import LIFETIME, check, renew_code
from users.models import Invite, InviteQuerySet, User
from users.permissions import Permission, may

logger = logging.getLogger(__name__)

TONES = {Invite.State.OPEN: "good", Invite.State.REVOKED: "bad"}


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
        self.instance.set_code()
        self.instance.created_by = self.maker
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
        return [(state.value, state.label) for state in Invite.State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invite]) -> QuerySet[Invite]:
        """Keep the invites of a state, by an index each."""
        now = timezone.now()
        invites = Invite.objects
        found = {
            Invite.State.OPEN.value: invites.usable(now),
            Invite.State.USED_UP.value: invites.used_up(),
            Invite.State.EXPIRED.value: invites.expired(now),
            Invite.State.REVOKED.value: invites.revoked(),
        }.get(str(self.value()))
        return queryset if found is None else queryset & found


@admin.register(Invite)
class InviteAdmin(DeskAdmin):
    """The invites, with links to share."""

    form = InviteForm
    change_form_template = "admin/users/invite/invite.html"
    list_display = ("title", "state", "used", "person", "expires_at")
    list_select_related = ("person",)
    list_filter = (StateFilter,)
    search_fields = ("note", "person__name")
    search_help_text = _("A note, or a name.")
    sortable_by = ("expires_at",)
    ordering = ("-pk",)
    actions = ("revoke",)
    autocomplete_fields = ("person",)
    fields = ("person", "note", "max_uses", "expires_at")
    readonly_fields = ("used", "state", "revoked_at", "created_by", "created_at")

    def get_fields(self, request: HttpRequest, obj: Invite | None = None) -> tuple[str, ...]:
        """Show what became of an invite that is there."""
        if obj is None:
            return self.fields
        revoked = ("revoked_at",) if obj.revoked_at else ()
        return ("state", "person", "note", "used", "expires_at", *revoked, "created_by", "created_at")

    def get_form(self, request: HttpRequest, obj: Invite | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Build a form that knows who makes the invite."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"maker": request.user})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invite]:
        """Return the invites that somebody may make: of others they learn nothing."""
        return cast(InviteQuerySet, super().get_queryset(request)).visible_to(_staff(request))

    def get_urls(self) -> list[URLPattern]:
        """Add the button that makes another code."""
        view = self.admin_site.admin_view(require_POST(self.new_code_view))
        own = path("<int:invite_id>/new-code/", view, name="users_invite_new_code")
        return [own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Offer one way to save: the page with the code comes next."""
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**buttons, **(extra_context or {})})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Offer a new code above the facts."""
        invite = self.get_object(request, object_id) if self.has_view_permission(request) else None
        is_open = invite is not None and invite.state is Invite.State.OPEN
        return super().change_view(request, object_id, form_url, {"is_open": is_open, **(extra_context or {})})

    def new_code_view(self, request: HttpRequest, invite_id: int) -> HttpResponse:
        """Give an invite another code, and show that once."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        get_object_or_404(self.get_queryset(request), pk=invite_id)
        invite = renew_code(invite_id, _staff(request))
        if invite is None:
            text = _("This invite lets nobody in any more. Who came in by it stays in.")
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:users_invite_change", args=(invite_id,)))
        self.log_change(request, invite, [{"changed": {"fields": ["code"]}}])
        return self._code_page(request, invite, is_new_code=True)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: who was sent the code relies on what it said."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may end invites."""
        return may(_staff(request), Permission.MANAGE_PEOPLE)

    def save_model(self, request: HttpRequest, obj: Invite, form: Any, change: bool) -> None:
        """Save the new invite."""
        super().save_model(request, obj, form, change)
        logger.info("invite_created", extra={"invite": obj.pk, "staff": request.user.pk})

    def response_add(self, request: HttpRequest, obj: Invite, post_url_continue: str | None = None) -> HttpResponse:
        """Show the code, once."""
        return self._code_page(request, obj)

    def _code_page(self, request: HttpRequest, invite: Invite, *, is_new_code: bool = False) -> HttpResponse:
        """Answer the very request that made a code with it: on its way to another page it would have to be stored."""
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("New code") if is_new_code else _("The invite is made"),
            "invite": invite,
            "is_new_code": is_new_code,
            "shared": shared_of(invite.code),
        }
        response = TemplateResponse(request, "admin/users/invite/code.html", page)
        add_never_cache_headers(response)
        return response

    @admin.display(description=_("invite"))
    def title(self, invite: Invite) -> str:
        """Return what tells an invite from others: its note, or its number."""
        return invite.note or _("Invite %(number)d") % {"number": invite.pk}

    @admin.display(description=_("used"))
    def used(self, invite: Invite) -> str:
        """Return how often it was used, of how often it may be."""
        return f"{invite.uses} / {invite.max_uses}"

    @admin.display(description=_("state"))
    def state(self, invite: Invite) -> SafeString:
        """Return whether it is good still."""
        state = invite.state
        return chip(state.label, TONES.get(state, ""))

    @admin.action(description=_("Revoke the selected invites"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invite]) -> None:
        """End invites before their time; who came in by them stays in."""
        ids = list(queryset.values_list("pk", flat=True))
        done = Invite.objects.filter(pk__in=ids).revoke(timezone.now())
        logger.info("staff_action", extra={"action": "revoke", "staff": request.user.pk, "ids": ids, "done": done})
        text = ngettext("%d invite was revoked.", "%d invites were revoked.", done)
        self.message_user(request, text % done, messages.SUCCESS if done else messages.WARNING)


def _staff(request: HttpRequest) -> User:
    return cast(User, request.user)
