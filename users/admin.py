"""People in the admin: who may chat, who may sign in, and by which addresses channels know them."""

import logging
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AdminPasswordChangeForm

from users.desk import DeskAdmin, TabularInline
from users.forms import PersonChangeForm, PersonCreationForm, PhoneLoginForm
from users.models import Identity, User
from users.permissions import Permission, may, may_touch
from users.phone import is_possible
from users.whitelist.admin import ImportExportMixin

logger = logging.getLogger(__name__)

MOST_LOGGED = 100

admin.site.login_form = PhoneLoginForm


# Nobody is given permissions through them: roles decide.
admin.site.unregister(Group)


def manages_staff(request: HttpRequest) -> bool:
    """Return whether somebody may hand out roles and change who has one."""
    return may(cast(User, request.user), Permission.MANAGE_STAFF)


class IdentityInline(TabularInline):
    """The addresses of one person."""

    model = Identity
    extra = 0
    readonly_fields = ("created_at",)


# (Registered by bot/admin/people.py, which adds what needs to know what people wrote.)
class UserAdmin(ImportExportMixin, DjangoUserAdmin, DeskAdmin):  # type: ignore[type-arg,misc]
    """The list of people. Flags follow from the role, and only an owner hands out roles."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    inlines = (IdentityInline,)
    list_display = ("__str__", "phone_number", "role", "is_whitelisted", "is_staff", "created_at")
    list_filter = ("role", "is_whitelisted", "is_staff")
    search_fields = ("name", "phone_number", "identities__address__exact")
    search_help_text = _("A name, a phone number in any spelling, or an address.")
    ordering = ("-pk",)
    actions: tuple[str, ...] = ("allow", "block")
    readonly_fields = ("last_login", "created_at", "updated_at")
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("phone_number", "name", "is_whitelisted", "daily_budget_micros")}),
        (_("Access to the admin"), {"fields": ("role", "password")}),
        (_("Dates"), {"fields": ("last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("phone_number", "name", "is_whitelisted")}),
        (_("Access to the admin"), {"classes": ("wide",), "fields": ("role", "password1", "password2")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Keep who may not manage staff from giving anybody, themselves included, more rights."""
        return (*self.readonly_fields,) if manages_staff(request) else (*self.readonly_fields, "role")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only who manages staff change staff other than themselves; that covers their password."""
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only who manages staff delete staff."""
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Find by name, by part of a number, and by a whole number however it is written."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        owner = User.objects.find_by_phone_number(search_term) if search_term else None
        return (found | queryset.filter(pk=owner.pk) if owner else found), duplicates

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        """Save the person, and say so when their number looks mistyped."""
        obj.set_role(obj.role)
        super().save_model(request, obj, form, change)
        if "phone_number" in form.changed_data and obj.phone_number and not is_possible(obj.phone_number):
            warning = _("Saved, but %(number)s does not look like a number that exists. Please check it.")
            self.message_user(request, warning % {"number": obj.phone_number}, messages.WARNING)

    @admin.action(description=_("Allow (add to whitelist)"), permissions=["change"])
    def allow(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let the selected people talk to the bots."""
        count = self._set_whitelisted(request, queryset, allowed=True)
        text = ngettext("%d person was added to the whitelist.", "%d people were added to the whitelist.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    @admin.action(description=_("Block (remove from whitelist)"), permissions=["change"])
    def block(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Stop the selected people from talking to the bots."""
        count = self._set_whitelisted(request, queryset, allowed=False)
        text = ngettext(
            "%d person was removed from the whitelist.", "%d people were removed from the whitelist.", count
        )
        self.message_user(request, text % count, messages.SUCCESS)

    def _set_whitelisted(self, request: HttpRequest, queryset: QuerySet[User], *, allowed: bool) -> int:
        """Return how many people this changed. Staff stay as they are unless one manages staff."""
        # By primary key: the list's own search may join, which an UPDATE cannot.
        chosen = User.objects.filter(pk__in=queryset.values("pk"), is_whitelisted=not allowed)
        if not manages_staff(request):
            chosen = chosen.filter(is_staff=False)
        ids = list(chosen.values_list("pk", flat=True))
        event = "person_allowed" if allowed else "person_denied"
        logger.info(event, extra={"staff": request.user.pk, "people": ids[:MOST_LOGGED], "count": len(ids)})
        return chosen.update(is_whitelisted=allowed, updated_at=timezone.now())

    @staticmethod
    def _may_touch(request: HttpRequest, obj: Any) -> bool:
        return not isinstance(obj, User) or may_touch(cast(User, request.user), obj)
