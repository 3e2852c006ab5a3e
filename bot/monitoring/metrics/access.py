"""Who may see figures of the whole system: who sends METRICS_TOKEN, or this machine itself."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare

from config.loopback import is_from_this_machine

SCHEME = "Bearer "


def given_token(meta: Mapping[str, Any]) -> str | None:
    """Return the bearer token a request sends, or None. meta: its headers and REMOTE_ADDR as WSGI names them."""
    header: str = meta.get("HTTP_AUTHORIZATION", "")
    return header.removeprefix(SCHEME).strip() if header.startswith(SCHEME) else None


def is_metrics_token(token: str | None) -> bool:
    """Return whether a token is METRICS_TOKEN; none is where that is not set."""
    expected = str(settings.METRICS_TOKEN)
    return bool(expected) and token is not None and constant_time_compare(token, expected)


def may_see_numbers(meta: Mapping[str, Any]) -> bool:
    """Return whether a probe is told numbers: it sends the token, or comes from this machine unforwarded."""
    return is_metrics_token(given_token(meta)) or is_from_this_machine(meta)
