"""Where the report leads: to itself with other rows, days or steps, and to the records behind a number."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage.reporting.question import PRESETS, By, Question
from usage.reporting.words import Names, day_words, heading

# Records of a bot or a model are looked for among those of so many days at most; people's and all have an index.
MOST_DAYS_OF_RECORDS = 31


@dataclass(frozen=True, slots=True)
class Link:
    """An address and what it is called; without an address where it would lead back here."""

    label: str
    href: str = ""
    is_here: bool = False


def report(question: Question) -> str:
    """Return the address of a question."""
    return f"{reverse('admin:usage_report')}?{question.query()}"


def records(question: Question) -> str:
    """Return the address of the records that a question counts, or nothing where finding them would take long."""
    by_name = By.BOT in question.values or By.MODEL in question.values
    if by_name and question.person is None and question.span_days > MOST_DAYS_OF_RECORDS:
        return ""
    first, last = question.span
    values = {str(by): value for by, value in question.narrowed if by is not By.DAY}
    query = urlencode({"from": first, "to": last, **values})
    return f"{reverse('admin:usage_usagerecord_changelist')}?{query}"


def crumbs(question: Question, names: Names) -> Iterator[Link]:
    """Yield the steps of the way here, the whole period first; the last is where one is."""
    steps = len(question.narrowed)
    first, last = question.first, question.last
    words = day_words(first) if first == last else f"{day_words(first)} – {day_words(last)}"
    yield Link(words, report(question.widen(0)) if steps else "", not steps)
    for number, (by, value) in enumerate(question.narrowed, start=1):
        words = f"{heading(by)}: {names.of(by, value)}"
        yield Link(words, report(question.widen(number)) if number < steps else "", number == steps)


def tabs(question: Question) -> Iterator[Link]:
    """Yield what else the rows can be of."""
    for by in question.free:
        yield Link(heading(by), report(question.grouped(by)), by is question.by)


def periods(question: Question) -> Iterator[Link]:
    """Yield the usual periods, with the steps that are none of days."""
    steps = tuple(step for step in question.narrowed if step[0] is not By.DAY)
    for days in PRESETS:
        words = _("Today") if days == 1 else ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
        asked = replace(question, days=days, narrowed=steps)
        yield Link(words, report(asked), question.days == days and By.DAY not in question.values)
