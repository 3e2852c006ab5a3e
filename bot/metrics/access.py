"""Who may see figures of the whole system: who sends METRICS_TOKEN, or this machine itself."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from config.loopback import is_local

SCHEME = "Bearer "


def given_token(request: HttpRequest) -> str | None:
    """Return the bearer token a request sends, or None."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    return header.removeprefix(SCHEME).strip() if header.startswith(SCHEME) else None


def is_metrics_token(token: str | None) -> bool:
    """Return whether a token is METRICS_TOKEN; none is where that is not set."""
    expected = str(settings.METRICS_TOKEN)
    return bool(expected) and token is not None and constant_time_compare(token, expected)


def may_see_numbers(request: HttpRequest) -> bool:
    """Return whether a probe is told numbers: it sends the token, or comes from this machine unforwarded."""
    return is_metrics_token(given_token(request)) or is_local(request)
