"""People in the admin, with what needs to know what they wrote and spent."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bot.admin.people.addresses import AddressesMixin
from bot.admin.people.listing import BudgetFilter, PeopleList, SeenFilter, order_of
from bot.admin.people.person_page import panel_of
from bot.admin.widgets import ago, chip
from config.desk.money import short
from usage.standing import Standing
from users.models import Role, User

SEE_SPENDING = "usage.view_dailyspend"
TONES: dict[str, str] = {Role.OWNER: "warn", Role.ADMIN: "good"}


@admin.register(User)
class PersonAdmin(AddressesMixin):
    """The list of people, and the page of each."""

    change_form_template = "admin/users/user/person.html"
    list_display = ("who", "phone_number", "of_role", "allowed", "seen", "spent")
    list_filter: ClassVar[tuple[Any, ...]] = ("is_whitelisted", SeenFilter, BudgetFilter, "role", "is_staff")
    # Nothing else has an index to be sorted by.
    sortable_by = ("phone_number",)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave out what people spend for who may not see it."""
        shown = super().get_list_display(request)
        return shown if request.user.has_perm(SEE_SPENDING) else tuple(name for name in shown if name != "spent")

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Leave out the filter by spending for who may not see it."""
        filters = super().get_list_filter(request)
        return filters if request.user.has_perm(SEE_SPENDING) else [one for one in filters if one is not BudgetFilter]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PeopleList]:
        """Return the list that knows what people have spent."""
        return PeopleList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the order that fits what is looked for."""
        return order_of(request)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show above the form what is known of the person, and what leads on from there."""
        person = self.get_object(request, object_id) if self.has_view_permission(request) else None
        shown = {"panel": panel_of(request, person)} if person else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    @admin.display(description=_("name"))
    def who(self, person: User) -> str:
        """Return what somebody is called."""
        return person.name or str(_("(no name)"))

    @admin.display(description=_("role"))
    def of_role(self, person: User) -> SafeString:
        """Return the role as a chip."""
        return chip(person.get_role_display(), TONES.get(person.role, ""))

    @admin.display(description=_("whitelisted"))
    def allowed(self, person: User) -> SafeString:
        """Return whether they may talk to the bots."""
        return chip(_("Yes"), "good") if person.is_whitelisted else chip(_("No"), "bad")

    @admin.display(description=_("last seen"))
    def seen(self, person: User) -> str:
        """Return how long ago they wrote."""
        return ago(person.last_seen_at) if person.last_seen_at else str(_("never"))

    @admin.display(description=_("spent today"))
    def spent(self, person: Any) -> str:
        """Return what they have spent today, of what budget."""
        today: Standing = person.today
        if not today.used_micros:
            return "–"
        if today.cap_micros is None:
            return short(today.used_micros)
        of = _("%(spent)s of %(budget)s")
        text = of % {"spent": short(today.used_micros), "budget": short(today.cap_micros)}
        return text if today.tone == "good" else chip(text, today.tone)
