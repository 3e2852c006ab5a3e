"""Check whether any budget bounds the daily cost of model calls."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings


def nothing_bounds_cost() -> bool:
    """Return whether a model that probably costs money is in use, without a daily budget of everybody or of each."""
    is_paid = settings.LLM_PROVIDER == "openai" and not is_near(settings.OPENAI_BASE_URL)
    return is_paid and settings.DAILY_BUDGET_MICROS is None and settings.USER_DAILY_BUDGET_MICROS is None


def is_near(url: str) -> bool:
    """Return whether a URL's host name is this machine or one of a private network."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".lan"))
