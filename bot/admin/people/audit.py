"""The audit log in the admin: who saw, exported, erased or changed what about whom. Nobody changes or deletes it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from bot.admin.messages.read_only import ReadOnlyAdmin
from config.desk.ids import read_id
from users.models import AuditEntry, User

Action = AuditEntry.Action
# Who did what to whom, each with what stands for the person.
SENTENCES = {
    Action.EXPORTED: _("{actor} exported what is held about {person}"),
    Action.ERASED: _("{actor} erased everything about {person}"),
    Action.READ: _("{actor} read a conversation of {person}"),
    Action.LINKED: _("{actor} added an address to {person}"),
    Action.UNLINKED: _("{actor} removed an address of {person}"),
    Action.NUMBER: _("{actor} changed the phone number of {person}"),
    Action.BUDGET: _("{actor} changed the daily budget of {person}"),
    Action.ALLOWED: _("{actor} let {person} in"),
    Action.BLOCKED: _("{actor} blocked {person}"),
    Action.COMMAND: _("{actor} wrote a command as {person} in the simulator"),
}
# What stands in an entry's details where nobody did it by hand.
PROVIDER = "provider"
PLACES = {"admin": _("admin"), "chat": _("chat"), "simulator": _("simulator"), "command": _("command line")}


class PlaceFilter(admin.SimpleListFilter):
    """Where something was done."""

    title = _("where")
    parameter_name = "via"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return list(PLACES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Keep what was done there."""
        return queryset.filter(via=self.value()) if self.value() in PLACES else queryset


class AuditList(ChangeList):
    """A page of the log, whose entries know the people they are about that are still there: their `person`."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, and in one query the people."""
        super().get_results(request)
        entries: list[Any] = list(self.result_list)
        people = User.objects.in_bulk({entry.subject for entry in entries if entry.subject})
        for entry in entries:
            entry.person = people.get(entry.subject)
        self.result_list = entries


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The log, in sentences, the newest entry first."""

    list_display = ("at", "sentence", "where")
    list_display_links = ("at",)
    list_filter = ("action", PlaceFilter)
    list_select_related = ("actor",)
    search_fields = ("subject",)
    search_help_text = _("The id of a person, or their phone number in any spelling.")
    ordering = ("-at", "-pk")
    sortable_by = ("at",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AuditList]:
        """Return the list that knows the people."""
        return AuditList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Find what was done about one person."""
        term = search_term.strip()
        if not term:
            return queryset, False
        owner = User.objects.find_by_phone_number(term)
        ids = [read_id(term), owner.pk if owner else None]
        return queryset.filter(subject__in=[id for id in ids if id is not None]), False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the daily purge deletes what is old."""
        return False

    @admin.display(description=_("what happened"))
    def sentence(self, entry: Any) -> str:
        """Say who did what to whom, with links to who is still there."""
        sentence = SENTENCES.get(entry.action, "{actor}: " + str(entry.get_action_display()) + " {person}")
        return format_html(str(sentence), actor=_who(entry), person=_whom(entry))

    @admin.display(description=_("where"), ordering="via")
    def where(self, entry: AuditEntry) -> str:
        """Say where it was done."""
        return str(PLACES.get(entry.via, entry.via))


def _who(entry: AuditEntry) -> Any:
    if entry.actor:
        return _link(entry.actor)
    if invite := entry.details.get("invite"):
        return _("Somebody with invite {invite}").format(invite=invite)
    if entry.details.get("by") == PROVIDER:
        return _("The provider")
    # Nobody of the staff: the person themselves, in chat, or who has the server's terminal.
    return _("Somebody at the server's terminal") if entry.via == "command" else _("The person themselves")


def _whom(entry: Any) -> Any:
    if entry.person:
        return _link(entry.person)
    return (
        _("person {id} (gone)").format(id=entry.subject) if entry.subject else _("an address that belonged to nobody")
    )


def _link(person: User) -> str:
    url = reverse("admin:users_user_change", args=(person.pk,))
    return format_html('<a class="desk-link underline" href="{}">{}</a>', url, person)
