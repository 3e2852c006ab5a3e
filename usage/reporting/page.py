"""The report as it is shown: names for keys, and where each row and number leads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.desk.money import column
from config.desk.plots import Bar, plot
from usage.days import today
from usage.reporting import links
from usage.reporting.question import NARROW, NOBODY, By, Question
from usage.reporting.table import Row, Table
from usage.reporting.words import Names, heading, short_day
from usage.totals import Sums

COUNTS = ("answers", "input_tokens", "cached_input_tokens", "output_tokens", "unpriced")


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as it is shown. link: what it consists of; records: the list behind its numbers; person: whose page.

    most: the cost of the dearest row, which has the longest bar.
    """

    label: str
    sums: Sums
    cost: str
    percent: float | None
    link: str = ""
    records: str = ""
    person: str = ""
    number: str = ""
    folded: bool = False
    most: int = 0

    @property
    def counts(self) -> dict[str, str]:
        """Return the numbers in digits as people read them."""
        numbers = {name: getattr(self.sums, name) for name in COUNTS}
        return {name: number_format(number, force_grouping=True) for name, number in numbers.items()}

    @property
    def meter(self) -> int:
        """Return the cost as the length of a bar."""
        return self.sums.cost_micros

    @property
    def share(self) -> str:
        """Return the share of the whole cost in words; nothing where there is no cost."""
        # (number_format cuts off, it does not round.)
        return "" if self.percent is None else f"{number_format(round(self.percent, 1), 1)} %"


def shown(question: Question, table: Table, names: Names) -> dict[str, Any]:
    """Return what the template shows of a table."""
    return {
        "question": question,
        "heading": heading(question.by),
        "rows": list(rows(question, table, names)),
        "more": more(table),
        "total": total(question, table),
        "crumbs": list(links.crumbs(question, names)),
        "tabs": list(links.tabs(question)),
        "periods": list(links.periods(question)),
        "hidden": [(str(by), value) for by, value in question.narrowed if by is not By.DAY],
        "plot": _plot(question, table) if question.span_days > 1 and table.lines else "",
        "axis": [short_day(day) for day in question.span],
        "note": _note(question, table),
        "export_url": f"{reverse('admin:usage_report_export')}?{question.query()}",
    }


def rows(question: Question, table: Table, names: Names) -> Iterator[ShownRow]:
    """Yield the rows of a table."""
    most = max((row.sums.cost_micros for row in table.rows), default=0)
    for row in table.rows:
        narrower = question if question.by in question.values else question.narrow(question.by, row.key)
        records = links.records(narrower) if row.sums.calls > row.folded else ""
        is_end = len(narrower.values) >= NARROW or narrower is question
        is_person = question.by is By.PERSON
        yield ShownRow(
            names.of(question.by, row.key),
            *_numbers(table, row),
            link=records if is_end else links.report(narrower),
            records=records,
            person=names.link(row.key) if is_person else "",
            number=names.number(row.key) if is_person else "",
            folded=bool(row.folded),
            most=most,
        )


def more(table: Table) -> ShownRow | None:
    """Return the row of the people who have none of their own, or None."""
    if table.more is None:
        return None
    words = ngettext("and %(count)s more", "and %(count)s more", table.more_people)
    count = number_format(table.more_people, force_grouping=True)
    return ShownRow(words % {"count": count}, *_numbers(table, table.more))


def total(question: Question, table: Table) -> ShownRow:
    """Return the row of the totals."""
    records = links.records(question) if table.total.sums.calls > table.total.folded else ""
    return ShownRow(_("Total"), *_numbers(table, table.total), records=records, folded=bool(table.total.folded))


def _numbers(table: Table, row: Row) -> tuple[Sums, str, float | None]:
    whole = table.total.sums.cost_micros
    return row.sums, column(row.sums.cost_micros), 100 * row.sums.cost_micros / whole if whole else None


def _plot(question: Question, table: Table) -> SafeString:
    """Return the days as bars, of what they cost, or of tokens where nothing has a price."""
    priced = bool(table.total.sums.cost_micros)
    first, last = question.span
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    by_day = table.by("day")
    title = _("Cost of each day") if priced else _("Tokens of each day")
    return plot([_bar(question, day, by_day.get(str(day), Row("")).sums, priced) for day in days], title)


def _bar(question: Question, day: date, sums: Sums, priced: bool) -> Bar:
    words = ngettext("%(cost)s, %(count)s completion", "%(cost)s, %(count)s completions", sums.answers)
    values = {"cost": column(sums.cost_micros), "count": number_format(sums.answers, force_grouping=True)}
    height = sums.cost_micros if priced else sums.input_tokens + sums.output_tokens
    href = links.report(question.narrow(By.DAY, day.isoformat())) if sums.calls else ""
    return Bar(short_day(day), (float(height),), words % values, href)


def _note(question: Question, table: Table) -> str:
    """Return what is to be said of usage that is too old for records of its own."""
    kept = settings.USAGE_RETENTION_DAYS
    if question.person not in (None, NOBODY):
        is_old = question.span[0] <= today() - timedelta(days=kept)
        text = _("Whose usage it was is known for %(days)d days. What is older is among deleted people and old days.")
        return text % {"days": kept} if is_old else ""
    count = table.total.folded
    text = ngettext(
        "Of %(count)s call that is older than %(days)d days only sums are kept: whose it was is not known any more. "
        "It is in rows marked “sums only”.",
        "Of %(count)s calls that are older than %(days)d days only sums are kept: whose they were is not known any "
        "more. They are in rows marked “sums only”.",
        count,
    )
    return text % {"count": number_format(count, force_grouping=True), "days": kept} if count else ""
