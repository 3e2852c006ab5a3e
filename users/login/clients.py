"""Which address a request comes from, behind proxies of ours or without one."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

# An address as proxies write it: with a port or without, an IPv6 address perhaps in brackets.
WRITTEN = re.compile(r"\[(?P<v6>[^\[\]]+)\](?::\d*)?|(?P<v4>\d+\.\d+\.\d+\.\d+)(?::\d*)?|(?P<bare>[0-9A-Fa-f:.]+)")
# What is no address counts together: else each spelling of nonsense would be somebody new.
UNREADABLE = "unreadable"


def client_address(request: HttpRequest | None) -> str:
    """Return the address a request comes from; UNREADABLE where none can be read, "" where there is no request.

    Each of our proxies adds the address that it has seen, on the right: the first of ours saw the client. What stands
    to the left of that anybody can write.
    """
    if request is None:
        return ""
    forwarded: str = request.META.get(settings.CLIENT_ADDRESS_META, "") if settings.BEHIND_PROXY else ""
    if not forwarded.strip():
        own: str = request.META.get("REMOTE_ADDR", "")
        return plain(own) if own else ""
    seen = forwarded.split(",")
    return plain(seen[-min(settings.TRUSTED_PROXIES, len(seen))])


def plain(written: str) -> str:
    """Return an address without its port, brackets and zone, in its one spelling; UNREADABLE for what is none."""
    match = WRITTEN.fullmatch(written.strip().partition("%")[0] if "[" not in written else written.strip())
    try:
        return str(ipaddress.ip_address((match[match.lastgroup or 0] if match else "").partition("%")[0]))
    except ValueError:
        return UNREADABLE
