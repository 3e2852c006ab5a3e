"""People in the admin: who may chat, who may sign in, and by which addresses channels know them."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm

from config.desk.lists import DeskAdmin, TabularInline
from config.desk.money import short
from users.admin.budget_rights import BudgetAuditMixin
from users.admin.forms import IdentityForm, PersonChangeForm, PersonCreationForm, PhoneLoginForm
from users.admin.password_rights import PasswordRightsMixin
from users.budgets import may_set_budget
from users.models import Identity, User
from users.permissions import Permission, may, may_touch
from users.phone import is_possible
from users.whitelist.actions import WhitelistActionsMixin, manages_staff
from users.whitelist.admin import ImportExportMixin
from users.whitelist.people import By, note_whitelisted

admin.site.login_form = PhoneLoginForm


# Nobody is given permissions through them: roles decide.
admin.site.unregister(Group)


class IdentityInline(TabularInline):
    """The addresses of one person. Owners alone change them: who writes from one reads and decides as the person."""

    model = Identity
    form = IdentityForm
    extra = 0
    readonly_fields = ("created_at",)


# Registered by bot/admin/people/pages.py, which adds what needs to know what people wrote and spent.
class UserAdmin(  # type: ignore[misc]
    BudgetAuditMixin,
    PasswordRightsMixin,
    WhitelistActionsMixin,
    ImportExportMixin,
    DjangoUserAdmin,  # type: ignore[type-arg]
    DeskAdmin,
):
    """The list of people. Flags follow from the role, and only an owner hands out roles."""

    # Django's own page for people has another.
    lookup_allowed = DeskAdmin.lookup_allowed
    form = PersonChangeForm
    add_form = PersonCreationForm
    inlines = (IdentityInline,)
    list_filter: ClassVar[tuple[Any, ...]] = ("role", "is_whitelisted", "is_staff")
    search_fields = ("name", "phone_number__contains")
    search_help_text = _("A name, a phone number in any spelling, or an address.")
    ordering = ("-pk",)
    actions: tuple[str, ...] = ("allow", "block")
    readonly_fields = ("budget", "last_seen_at", "last_login", "created_at", "updated_at")
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("phone_number", "name", "is_whitelisted", "daily_budget_micros")}),
        (_("Access to the admin"), {"fields": ("role", "password")}),
        (_("Dates"), {"fields": ("last_seen_at", "last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("phone_number", "name", "is_whitelisted")}),
        (_("Access to the admin"), {"classes": ("wide",), "fields": ("role", "password1", "password2")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Show who may not change the budget how much it is, in dollars as the form has it."""
        fieldsets = super().get_fieldsets(request, obj)
        may_set = obj is not None and may_set_budget(cast(User, request.user), obj)
        if obj is None or (may_set and self.has_change_permission(request, obj)):
            return fieldsets
        (title, first), *others = fieldsets
        shown = tuple("budget" if name == "daily_budget_micros" else name for name in first["fields"])
        return ((title, {**first, "fields": shown}), *others)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Keep who may not from giving anybody, themselves included, more rights or another number."""
        role = () if manages_staff(request) else ("role",)
        number = () if obj is None or may(cast(User, request.user), Permission.MANAGE_ADDRESSES) else ("phone_number",)
        listed = () if obj is None or not obj.is_staff or manages_staff(request) else ("is_whitelisted",)
        return (*self.readonly_fields, *role, *number, *listed)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only who manages staff change staff other than themselves; that covers their password."""
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only who manages staff delete staff."""
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Find by name, by part of a number, by a whole number however it is written, and by a whole address.

        Whose number or address it is, indexes say: nothing is joined, so that a search reads people only.
        """
        found, duplicates = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        if not term:
            return found, duplicates
        owner = User.objects.find_by_phone_number(term)
        known = list(Identity.objects.filter(address=term).values_list("user", flat=True))
        ids = [*known, owner.pk] if owner else known
        return (found | queryset.filter(pk__in=ids) if ids else found), duplicates

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Let in who is added, unless the box is unticked."""
        return {"is_whitelisted": True, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        """Save the person, and say so when their number looks mistyped, or what becoming staff brings with it."""
        becomes_staff = change and not obj.is_staff
        obj.set_role(obj.role)
        if becomes_staff and obj.is_staff:
            self._tell_of_new_staff(request, obj)
        if change and "phone_number" in form.changed_data:
            obj.numbered_at = timezone.now()
        super().save_model(request, obj, form, change)
        if obj.is_whitelisted if not change else "is_whitelisted" in form.changed_data:
            note_whitelisted([obj.pk], obj.is_whitelisted, By(cast(User, request.user), "admin"))
        if not change:
            self._tell_of_new_person(request, obj)
        if "phone_number" in form.changed_data and obj.phone_number and not is_possible(obj.phone_number):
            warning = _("Saved, but %(number)s does not look like a number that exists. Please check it.")
            self.message_user(request, warning % {"number": obj.phone_number}, messages.WARNING)

    def _tell_of_new_person(self, request: HttpRequest, person: User) -> None:
        """Say whether somebody who was just added is answered."""
        if person.is_whitelisted:
            text, level = _("%(person)s may write to the bots from now on."), messages.SUCCESS
        else:
            text, level = _("%(person)s is not on the whitelist: the bots do not answer them yet."), messages.WARNING
        self.message_user(request, text % {"person": person}, level)

    def _tell_of_new_staff(self, request: HttpRequest, person: User) -> None:
        """Say that a password is to be set, and from which addresses commands are taken with the new rights."""
        text = _("%(person)s has no password yet, so that nobody signs in with one of before: set one on this page.")
        self.message_user(request, text % {"person": person}, messages.WARNING)
        known = ", ".join(f"{one.channel} {one.address}" for one in person.identities.order_by("pk"))
        if known:
            text = _("From these addresses commands are taken with their new rights. Are all of them theirs? %(known)s")
            self.message_user(request, text % {"known": known}, messages.WARNING)

    @admin.display(description=_("daily budget"))
    def budget(self, person: User) -> str:
        """Return the person's own budget in dollars."""
        own = person.daily_budget_micros
        return str(_("the default")) if own is None else short(own)

    @staticmethod
    def _may_touch(request: HttpRequest, obj: Any) -> bool:
        return not isinstance(obj, User) or may_touch(cast(User, request.user), obj)
