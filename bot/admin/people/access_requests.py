"""Who asked for access, in the admin: let them in, or dismiss them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from bot.admin.messages.read_only import ReadOnlyAdmin
from bot.admin.widgets import ago
from bot.models import AccessRequest
from bot.queue.access_requests import RequestGone, allow_asker
from users.models import User
from users.whitelist import By, StaffOnly

LIST = "admin:bot_accessrequest_changelist"


@admin.register(AccessRequest)
class AccessRequestAdmin(ReadOnlyAdmin):
    """People who wrote without being whitelisted: allowed with one click, or several at once."""

    list_display = ("address", "name", "bot", "messages", "last", "first")
    list_filter = ("bot",)
    list_before_template = "admin/bot/accessrequest/intro.html"
    search_fields = ("address__exact", "profile_name")
    search_help_text = _("A whole address, or a name.")
    sortable_by = ("last",)
    ordering = ("-last_seen_at", "-pk")
    actions = ("allow", "dismiss")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Show the buttons to who may use them."""
        first, *others = self.list_display
        may_allow, may_dismiss = self.has_allow_permission(request), self.has_dismiss_permission(request)
        # Near the beginning: the end of a list is the first to be cut off on a small screen.
        buttons = (*(["allow_button"] if may_allow else []), *(["dismiss_button"] if may_dismiss else []))
        return (first, *buttons, *others)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out Django's own deletion: dismissing is that, without a page in between."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that the buttons post to."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/allow/", view(require_POST(self.allow_one)), name="bot_accessrequest_allow"),
            path("<int:pk>/dismiss/", view(require_POST(self.dismiss_one)), name="bot_accessrequest_dismiss"),
            *super().get_urls(),
        ]

    def has_allow_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may put people on the whitelist."""
        return bool(request.user.has_perm("users.change_user"))

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may throw requests away."""
        return bool(self.has_delete_permission(request))

    @admin.display(description=_("let in"))
    def allow_button(self, request: AccessRequest) -> SafeString:
        """Return a button that allows who asks."""
        return _button(request, "allow", _("Allow"), "primary")

    @admin.display(description=_("dismiss"))
    def dismiss_button(self, request: AccessRequest) -> SafeString:
        """Return a button that throws the request away."""
        return _button(request, "dismiss", _("Dismiss"))

    @admin.display(description=_("name"))
    def name(self, request: AccessRequest) -> str:
        """Return what they call themselves, which proves nothing."""
        return request.profile_name or "–"

    @admin.display(description=_("first message"))
    def first(self, request: AccessRequest) -> SafeString:
        """Return how long ago they wrote for the first time."""
        return ago(request.first_seen_at)

    @admin.display(description=_("last message"), ordering="last_seen_at")
    def last(self, request: AccessRequest) -> SafeString:
        """Return how long ago they wrote last."""
        return ago(request.last_seen_at)

    def allow_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Allow who made one request."""
        if not self.has_allow_permission(request):
            raise PermissionDenied
        self._allow(request, AccessRequest.objects.filter(pk=pk))
        return redirect(LIST)

    def dismiss_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw one request away."""
        if not self.has_dismiss_permission(request):
            raise PermissionDenied
        self.dismiss(request, AccessRequest.objects.filter(pk=pk))
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
                person, _changed = allow_asker(asked, By(staff, "admin"))
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


def _button(request: AccessRequest, name: str, text: Any, tone: str = "") -> SafeString:
    """Return a button of the list's own form, which has the token against forged requests."""
    button = '<button type="submit" class="desk-button small {}" formaction="{}" formnovalidate>{}</button>'
    return format_html(button, tone, reverse(f"admin:bot_accessrequest_{name}", args=(request.pk,)), text)


def dismiss(ids: Any) -> int:
    """Delete requests and return how many there were."""
    return AccessRequest.objects.filter(pk__in=ids).delete()[0]
