"""Small pieces of pages that several parts of the admin show."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from users.phone import is_e164, mask


def copyable(text: str) -> SafeString:
    """Return a text with a button that copies it (shown by the script that can)."""
    return format_html('<span class="desk-copy"><code>{}</code>{}</span>', text, copy_button(text, _("Copy")))


def copy_button(text: str, label: str) -> SafeString:
    """Return a button that copies a text (shown by the script that can)."""
    button = '<button type="button" class="desk-button small" data-copy="{}" data-done="{}" hidden>{}</button>'
    return format_html(button, text, _("Copied"), label)


def chip(text: object, tone: str = "") -> SafeString:
    """Return a text as the label of a state; the tone is good, warn, bad, or none."""
    return format_html('<span class="desk-chip {}">{}</span>', tone, text)


def masked(address: str) -> str:
    """Return an address as it may stand in a list: a number's country and end, of other names the beginning and end."""
    if is_e164(address):
        return mask(address)
    return f"{address[:3]}…{address[-2:]}" if len(address) > 6 else address


def ago(moment: datetime | None) -> SafeString:
    """Return how long ago something was; the exact time, in the operator's zone, shows when one points at it."""
    if moment is None:
        return SafeString("–")
    local = timezone.localtime(moment)
    passed = timezone.now() - moment
    words = _("just now")
    if passed < timedelta(0):
        words = _("in %(time)s") % {"time": timesince(timezone.now(), moment, depth=1)}
    elif passed >= timedelta(minutes=1):
        words = _("%(time)s ago") % {"time": timesince(moment, depth=1)}
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact(moment), words)


def exact(moment: datetime) -> str:
    """Return a moment to the second, in the operator's zone."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
