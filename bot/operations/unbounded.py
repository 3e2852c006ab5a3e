"""Whether nothing bounds what model calls may cost in a day."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings


def nothing_bounds_cost() -> bool:
    """Return whether a model is asked that is probably paid for, and no daily budget is set for everybody or each."""
    is_paid = settings.LLM_PROVIDER == "openai" and not is_near(settings.OPENAI_BASE_URL)
    return is_paid and settings.DAILY_BUDGET_MICROS is None and settings.USER_DAILY_BUDGET_MICROS is None


def is_near(url: str) -> bool:
    """Return whether a URL names this machine or one of a private network, as far as its name tells."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".lan"))
