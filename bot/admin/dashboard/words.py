"""How the dashboard writes numbers, times and days, in the reader's language."""

from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SECONDS_A_MINUTE, SECONDS_AN_HOUR, SECONDS_A_DAY = 60, 3_600, 86_400


def number(count: int) -> str:
    """Return a whole number with the separators of the language."""
    return number_format(count, force_grouping=True)


def capped(count: int, most: int) -> str:
    """Return a number, or "10,000+" where counting ended."""
    return f"{number(most)}+" if count >= most else number(count)


def seconds(milliseconds: int | None) -> str:
    """Return a length of time as seconds with one decimal, or as minutes when it has many; a dash for none."""
    if milliseconds is None:
        return "–"
    if milliseconds >= SECONDS_A_MINUTE * 1_000:
        return age(milliseconds / 1_000)
    return _("%(seconds)s s") % {"seconds": number_format(milliseconds / 1_000, 1)}


def within(median_ms: int | None, p95_ms: int | None) -> str:
    """Return in words how long answers take; a dash for none."""
    if median_ms is None:
        return "–"
    said = {"median": seconds(median_ms), "p95": seconds(p95_ms)}
    return _("half within %(median)s, 95 %% within %(p95)s") % said


def age(length: float) -> str:
    """Return so many seconds in the largest unit that fits."""
    whole = int(length)
    if whole >= SECONDS_A_DAY:
        return ngettext("%d day", "%d days", whole // SECONDS_A_DAY) % (whole // SECONDS_A_DAY)
    if whole >= SECONDS_AN_HOUR:
        return ngettext("%d hour", "%d hours", whole // SECONDS_AN_HOUR) % (whole // SECONDS_AN_HOUR)
    if whole >= SECONDS_A_MINUTE:
        return ngettext("%d minute", "%d minutes", whole // SECONDS_A_MINUTE) % (whole // SECONDS_A_MINUTE)
    return ngettext("%d second", "%d seconds", whole) % whole


def day_name(day: date) -> str:
    """Return a day's name, without its year."""
    return date_format(day, "MONTH_DAY_FORMAT")
