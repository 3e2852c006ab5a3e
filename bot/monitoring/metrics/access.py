"""Access to system-wide figures: requests with METRICS_TOKEN, or from this machine."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare

from config.loopback import is_from_this_machine

SCHEME = "Bearer "


def given_token(meta: Mapping[str, Any]) -> str | None:
    """Return a request's bearer token, or None. meta: its headers and REMOTE_ADDR with WSGI's names."""
    header: str = meta.get("HTTP_AUTHORIZATION", "")
    return header.removeprefix(SCHEME).strip() if header.startswith(SCHEME) else None


def is_metrics_token(token: str | None) -> bool:
    """Return whether a token is METRICS_TOKEN; never if that is not set."""
    expected = str(settings.METRICS_TOKEN)
    return bool(expected) and token is not None and constant_time_compare(token, expected)


def may_see_numbers(meta: Mapping[str, Any]) -> bool:
    """Return whether a probe may see numbers: with the token, or from this machine without a proxy."""
    return is_metrics_token(given_token(meta)) or is_from_this_machine(meta)
