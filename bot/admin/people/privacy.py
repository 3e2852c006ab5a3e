"""What is held about people, in the admin: shown in numbers, given out as a file, erased. For owners only.

Whoever deletes a person here erases them: a row that is gone while their messages stay would help nobody.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from bot.privacy.erasure.erase import erase
from bot.privacy.export.document import json_pieces, read, text_pieces
from bot.privacy.subjects import subject_of
from bot.privacy.summary import summary_of
from config.desk.ids import read_id
from users.admin.people import UserAdmin
from users.errors import LastOwner
from users.models import AuditEntry, User
from users.permissions import Permission, may

logger = logging.getLogger(__name__)

LIST = "admin:users_user_changelist"
FORMATS: dict[str, tuple[Callable[[Mapping[str, Any]], Iterator[str]], str]] = {
    "json": (json_pieces, "application/json"),
    "text": (text_pieces, "text/plain; charset=utf-8"),
}
# More people are for the command, one by one: a request has a minute.
MOST_ERASED = 100
MOST_TYPED = 200


class PrivacyMixin(UserAdmin):
    """What the law gives people a right to, for the list of people and for each person's page."""

    actions: tuple[str, ...] = (*UserAdmin.actions, "erase_selected")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages about one person, and about several."""
        view = self.admin_site.admin_view
        return [
            path("erase/", view(require_POST(self.erase_view)), name="users_user_erase"),
            path("<int:pk>/privacy/", view(self.privacy_view), name="users_user_privacy"),
            path("<int:pk>/privacy/export/", view(require_POST(self.export_one_view)), name="users_user_export_one"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out Django's own deletion: it would leave what people wrote."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Tell the page whether to show the way to what is held."""
        shown = {"may_see_privacy": may_export(request) or self.has_delete_permission(request)}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Lead to the page that erases."""
        if (pk := read_id(object_id)) is None:
            raise PermissionDenied
        person = get_object_or_404(User, pk=pk)
        if not self.has_delete_permission(request, person):
            raise PermissionDenied
        return redirect("admin:users_user_privacy", person.pk)

    def privacy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how much is held about a person, and what can be done with it."""
        person = get_object_or_404(User, pk=pk)
        may_erase = self.has_delete_permission(request, person)
        if not may_erase and not may_export(request):
            raise PermissionDenied
        context = {"people": [(person, summary_of(subject_of(person)))], "person": person, "may_erase": may_erase}
        return self._privacy_page(request, {**context, "title": _("What is held")})

    def export_one_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give out everything that is held about a person, as a file."""
        person = get_object_or_404(User, pk=pk)
        form = request.POST.get("format", "")
        if not may_export(request) or form not in FORMATS:
            raise PermissionDenied
        pieces, content_type = FORMATS[form]
        action, staff = AuditEntry.Action.EXPORTED, cast(User, request.user)
        AuditEntry.objects.create(action=action, subject=person.pk, actor=staff, via="admin", details={"format": form})
        logger.warning("person_exported", extra={"person": person.pk, "staff": staff.pk, "via": "admin"})
        name = f"person-{person.pk}.{'json' if form == 'json' else 'txt'}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(pieces(read(subject_of(person))), content_type=content_type, headers=headers)

    @admin.action(description=_("Erase everything about the selected (cannot be undone)"), permissions=["delete"])
    def erase_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Show how much is held about the selected people, and ask."""
        people = list(queryset.order_by("pk")[: MOST_ERASED + 1])
        if len(people) > MOST_ERASED:
            text = _("At most %d people can be erased at once.") % MOST_ERASED
            self.message_user(request, text, messages.ERROR)
            return None
        return self._ask_to_erase(request, [person for person in people if self._may_erase(request, person)])

    def erase_view(self, request: HttpRequest) -> HttpResponse:
        """Erase the people whose ids are posted, each for itself: one that cannot be keeps none of the others.

        Whoever has not typed what the page asks for is asked again.
        """
        people = list(User.objects.filter(pk__in=_ids(request)).order_by("pk"))
        if not people or not all(self._may_erase(request, person) for person in people):
            raise PermissionDenied
        typed = request.POST.get("confirmation", "")
        if _folded(typed) != _folded(confirmation_of(people)):
            return self._ask_to_erase(request, people, typed[:MOST_TYPED])
        erased = 0
        for person in people:
            try:
                erase(subject_of(person), via="admin", actor=cast(User, request.user))
            except LastOwner as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                erased += 1
        if erased:
            text = ngettext("%d person was erased.", "%d people were erased.", erased) % erased
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse(LIST))

    def _may_erase(self, request: HttpRequest, person: User) -> bool:
        return self.has_delete_permission(request, person)

    def _ask_to_erase(self, request: HttpRequest, people: list[User], typed: str | None = None) -> HttpResponse:
        """Show how much is held about people, and what to type to erase it. typed: what was typed instead."""
        context = {"people": [(person, summary_of(subject_of(person))) for person in people], "may_erase": True}
        if typed is not None:
            context |= {"typed": typed, "is_wrong": True}
        return self._privacy_page(request, {**context, "title": _("Erase people")})

    def _privacy_page(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        wanted = {"confirmation": confirmation_of([person for person, _held in context["people"]])}
        shown = {"may_export": may_export(request), **wanted, **context}
        page = {**self.admin_site.each_context(request), "opts": self.opts, **shown}
        return TemplateResponse(request, "admin/users/user/privacy.html", page)


def may_export(request: HttpRequest) -> bool:
    """Return whether somebody may be given what is held about others."""
    return may(cast(User, request.user), Permission.EXPORT_PEOPLE)


def confirmation_of(people: list[User]) -> str:
    """Return what has to be typed to erase these people, in the language that is spoken."""
    if len(people) == 1:
        return str(_("erase person %d") % people[0].pk)
    return ngettext("erase %d person", "erase %d people", len(people)) % len(people)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _ids(request: HttpRequest) -> list[int]:
    posted = request.POST.getlist("person")[:MOST_ERASED]
    return [id for text in posted if (id := read_id(text)) is not None]
