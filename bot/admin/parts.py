"""Small pieces of pages that several parts of the admin show."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


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
