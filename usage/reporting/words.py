"""Days, people, bots and models in words."""

from collections.abc import Iterable
from datetime import date

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from usage.reporting.question import NOBODY, By, Question
from usage.reporting.table import Table
from users.models import User


def heading(by: By) -> str:
    """Return what rows are of, in a word."""
    return {By.DAY: _("Day"), By.PERSON: _("Person"), By.BOT: _("Bot"), By.MODEL: _("Model")}[by]


def day_words(day: date) -> str:
    """Return a day as people write it."""
    return date_format(day, "DATE_FORMAT")


def short_day(day: date) -> str:
    """Return a day of this year or the last: "26 Nov"."""
    return date_format(day, "j M")


class Names:
    """The names of what a report is of. People are read at once: one query, none where there are no people."""

    def __init__(self, people: Iterable[str], *, may_open: bool) -> None:
        ids = {int(key) for key in people if key} - {NOBODY}
        self._people = User.objects.only("name", "phone_number").in_bulk(ids) if ids else {}
        self._may_open = may_open

    @classmethod
    def in_report(cls, question: Question, table: Table, asks: User | AnonymousUser) -> "Names":
        """Return the names that a report shows to somebody."""
        rows = [row.key for row in table.rows] if question.by is By.PERSON else []
        return cls([*rows, question.values.get(By.PERSON, "")], may_open=asks.has_perm("users.view_user"))

    def of(self, by: By, key: str) -> str:
        """Return the name of a row's key."""
        if by is By.DAY:
            return day_words(date.fromisoformat(key))
        if by is By.PERSON:
            return self._person(int(key))
        return key or (_("(no bot)") if by is By.BOT else _("(no model)"))

    def number(self, key: str) -> str:
        """Return a person's phone number, if they have one."""
        person = self._people.get(int(key))
        return (person.phone_number or "") if person else ""

    def link(self, key: str) -> str:
        """Return the address of a person's page, for who may see it."""
        there = self._may_open and int(key) in self._people
        return reverse("admin:users_user_change", args=(int(key),)) if there else ""

    def _person(self, pk: int) -> str:
        if pk == NOBODY:
            return _("Deleted people, and old days")
        return str(self._people[pk]) if pk in self._people else _("Person %(id)d") % {"id": pk}
