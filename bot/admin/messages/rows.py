"""What the lists of chats' rows have in common: whose they are, one person's only, and never a query for each row."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from bot.admin.messages.read_only import ReadOnlyAdmin
from bot.admin.widgets import masked
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.privacy.subjects import subject_of
from bot.reasons import reason_of
from config.desk.confirming import MOST_SHOWN, confirm
from config.desk.ids import read_id
from config.desk.paginator import MOST
from users.models import User
from users.phone import InvalidPhoneNumber, mask, read_number, spellings

# As long as an address may be.
LONGEST_TERM = 255


class ChatChangeList(ChangeList):
    """A list whose rows know whose they are."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page's rows and, in at most two queries, the people they are from or to."""
        super().get_results(request)
        page: Any = self.result_list  # type: ignore[has-type]
        self.result_list = attach_people(page)


class PersonFilter(SimpleListFilter):
    """One person's rows, by any of their addresses: where the pages about a person lead. Not offered by itself."""

    title = _("person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the person that is asked for."""
        person = _person(request.GET.get(self.parameter_name))
        return [(str(person.pk), str(person))] if person else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the person's chats."""
        person = _person(self.value())
        return queryset.filter(chats_of(person)) if person else queryset


class ChatAdmin(ReadOnlyAdmin):
    """Rows of a chat. Nobody deletes one by hand: a message could be lost, or a redelivery taken for a new one."""

    ordering = ("-pk",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows people."""
        return ChatChangeList

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the daily purge deletes what is old."""
        return False

    def ask(
        self, request: HttpRequest, queryset: QuerySet[Any], able: QuerySet[Any], action: str, **words: Any
    ) -> TemplateResponse:
        """Return the page that asks before something is done to those of the selected rows that it can be done to."""
        count = able[:MOST].count()
        others = queryset.exclude(pk__in=able.values("pk"))
        return confirm(
            request,
            self,
            able,
            action=action,
            rows=self._told(able),
            count=count,
            left_out=self._told(others),
            left_out_count=others[:MOST].count(),
            **words,
        )

    @admin.display(description=_("who"))
    def who(self, row: Any) -> str:
        """Return whose chat it is: the person, as a link, or their masked address."""
        return who(row)

    @admin.display(description=_("reason"))
    def reason(self, row: Any) -> str:
        """Return why it ended as it did, in words."""
        reason = reason_of(_code(row), row.bot.channel)
        return str(reason.says) if reason else ""

    def _told(self, rows: QuerySet[Any]) -> list[str]:
        return [self.told(row) for row in self._rows(rows)]

    def _rows(self, rows: QuerySet[Any]) -> list[Any]:
        return attach_people(rows.select_related("bot").order_by("-pk")[:MOST_SHOWN])

    def told(self, row: Any) -> str:
        """Return a row in words, for the page that asks."""
        whose = str(row.person) if row.person else masked(row.address)
        words = [f"#{row.pk}", row.bot.name or row.bot.slug, whose]
        return " · ".join([*words, *([self.reason(row)] if _code(row) else [])])


def _code(row: InboundMessage | OutboundMessage) -> str:
    return row.code if isinstance(row, OutboundMessage) else row.error_code


def attach_people(rows: Sequence[Any] | QuerySet[Any]) -> list[Any]:
    """Return rows of chats, each with `person`, or None: at most two queries for all of them."""
    known = list(rows)
    people = User.objects.for_identities((row.bot.channel, row.address) for row in known if row.address)
    for row in known:
        row.person = people.get((row.bot.channel, row.address))
    return known


def who(row: Any) -> str:
    """Return whose chat a row that attach_people() has seen is of: the person, as a link, or their masked address."""
    if row.person is None:
        return masked(row.address) or "–"
    number = mask(row.person.phone_number) if row.person.phone_number else ""
    url = reverse("admin:users_user_change", args=[row.person.pk])
    link = format_html('<a href="{}" class="desk-link">{}</a>', url, row.person.name or number or masked(row.address))
    return format_html('{}<br><small class="desk-quiet">{}</small>', link, number) if row.person.name else link


def chats_of(person: User) -> Q:
    """Return the condition of rows that are of a person's chats, written so that the index of chats answers it."""
    bots: dict[str, list[int]] = {}
    for channel, pk in Bot.objects.values_list("channel", "pk"):
        bots.setdefault(channel, []).append(pk)
    addresses: dict[str, list[str]] = {}
    for channel, address in sorted(subject_of(person).addresses):
        addresses.setdefault(channel, []).append(address)
    chats = [Q(bot__in=bots[channel], address__in=those) for channel, those in addresses.items() if channel in bots]
    return reduce(or_, chats, Q(pk__in=[]))


def addresses_of(term: str) -> tuple[str, ...]:
    """Return the addresses that a search means: a phone number's spellings, or the term as it is."""
    try:
        return spellings(read_number(term))
    except InvalidPhoneNumber:
        return (term[:LONGEST_TERM],)


def _person(value: str | None) -> User | None:
    key = read_id(value or "")
    return None if key is None else User.objects.filter(pk=key).first()
