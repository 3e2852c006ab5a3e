"""Small pieces of the lists of usage."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from users.models import User


def chip(text: object, tone: str = "") -> SafeString:
    """Return a text as the label of a state; the tone is good, warn, bad, or none."""
    return format_html('<span class="desk-chip {}">{}</span>', tone, text)


def in_one_line(text: object) -> SafeString:
    """Return a text that is not broken into lines."""
    return format_html('<span class="usage-line">{}</span>', text)


def person_link(person: User) -> SafeString:
    """Return the way to a person. (Who sees spending sees people.)"""
    href = reverse("admin:users_user_change", args=(person.pk,))
    return format_html('<a class="desk-link" href="{}">{}</a>', href, person)


def gauge(share: float, words: str) -> SafeString:
    """Return how much of a budget is used up, as a bar and in words: red when nothing is left, orange from 80 %."""
    limits = 'min="0" max="100" low="80" high="99" optimum="0"'
    bar = f'<meter class="usage-meter" {limits} value="{{}}" aria-hidden="true"></meter> {{}}'
    return format_html(bar, int(min(share, 1) * 100), in_one_line(words))
