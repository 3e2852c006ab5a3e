"""Small pieces of pages that several parts of the admin show."""

from datetime import datetime

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _


def copyable(text: str) -> SafeString:
    """Return a text with a button that copies it (shown by the script that can)."""
    button = (
        '<span class="desk-copy"><code>{0}</code>'
        '<button type="button" class="desk-button small" data-copy="{0}" data-done="{2}" hidden>{1}</button></span>'
    )
    return format_html(button, text, _("Copy"), _("Copied"))


def chip(text: object, tone: str = "") -> SafeString:
    """Return a text as the label of a state; the tone is good, warn, bad, or none."""
    return format_html('<span class="desk-chip {}">{}</span>', tone, text)


def moment(at: datetime) -> SafeString:
    """Return how long ago a moment was, with the moment itself as a tooltip."""
    ago = _("%s ago") % timesince(at, depth=1)
    exact = formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, ago)
