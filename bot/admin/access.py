"""Who asked for access, in the admin: let them in, or dismiss them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bot.access import RequestGone, StaffOnly, allow_request
from bot.admin.messages import ReadOnlyAdmin
from bot.models import AccessRequest
from users.models import User

LIST = "admin:bot_accessrequest_changelist"


@admin.register(AccessRequest)
class AccessRequestAdmin(ReadOnlyAdmin):
    """People who wrote without being whitelisted: allowed with one click, or several at once."""

    list_display = ("address", "profile_name", "bot", "messages", "first_seen_at", "last_seen_at")
    list_filter = ("bot",)
    search_fields = ("=address", "profile_name")
    ordering = ("-last_seen_at", "-pk")
    actions = ("allow", "dismiss")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Show the button to who may use it."""
        first, *others = self.list_display
        # Near the beginning: the end of a list is the first to be cut off on a small screen.
        return (first, "allow_button", *others) if self.has_allow_permission(request) else self.list_display

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out Django's own deletion: dismissing is that, without a page in between."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_urls(self) -> list[URLPattern]:
        """Add the address that the button posts to."""
        own = path("<int:pk>/allow/", self.admin_site.admin_view(self.allow_one), name="bot_accessrequest_allow")
        return [own, *super().get_urls()]

    def has_allow_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may put people on the whitelist."""
        return bool(request.user.has_perm("users.change_user"))

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may throw requests away."""
        return bool(self.has_delete_permission(request))

    @admin.display(description="")
    def allow_button(self, request: AccessRequest) -> str:
        """Return a button of the list's own form, which has the token against forged requests."""
        button = '<button type="submit" class="desk-button small primary" formaction="{}" formnovalidate>{}</button>'
        return format_html(button, reverse("admin:bot_accessrequest_allow", args=(request.pk,)), _("Allow"))

    def allow_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Allow who made one request."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_allow_permission(request):
            raise PermissionDenied
        self._allow(request, AccessRequest.objects.filter(pk=pk))
        return redirect(LIST)

    @admin.action(description=_("Allow (add to whitelist)"), permissions=["allow"])
    def allow(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> None:
        """Let who made the selected requests talk to the bots."""
        self._allow(request, queryset)

    @admin.action(description=_("Dismiss the selected requests"), permissions=["dismiss"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> None:
        """Delete the selected requests; who writes again asks again."""
        done = self.act_on(request, queryset, dismiss)
        self.tell(request, done, ngettext("%d request was dismissed.", "%d requests were dismissed.", done))

    def _allow(self, request: HttpRequest, chosen: QuerySet[AccessRequest]) -> None:
        staff = request.user if isinstance(request.user, User) else None
        people: set[User] = set()
        for asked in chosen.order_by("pk"):
            try:
                person = allow_request(asked, staff=staff)
            except RequestGone:
                continue  # with another of the same person, or by somebody else
            except StaffOnly as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
                continue
            people.add(person)
            self.log_change(request, asked, f"Allowed person {person.pk}.")
        self._tell_who(request, people)

    def _tell_who(self, request: HttpRequest, people: set[User]) -> None:
        if not people:
            gone = _("Nothing was done: somebody has allowed or dismissed this already.")
            self.message_user(request, gone, messages.WARNING)
            return
        text = ngettext("%d person was added to the whitelist.", "%d people were added to the whitelist.", len(people))
        self.message_user(request, text % len(people), messages.SUCCESS)


def dismiss(ids: Any) -> int:
    """Delete requests and return how many there were."""
    return AccessRequest.objects.filter(pk__in=ids).delete()[0]
