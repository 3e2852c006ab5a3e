"""Tell a request that comes from this machine itself from one that a proxy or tunnel on this machine has passed on."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

# What proxies, tunnels and content networks add. Behind one of them everybody seems to come from this machine.
FORWARDING = frozenset({"HTTP_FORWARDED", "HTTP_VIA", "HTTP_TRUE_CLIENT_IP", "HTTP_CLIENT_IP"})
FORWARDING_PREFIXES = (
    "HTTP_X_FORWARDED", "HTTP_FORWARDED_", "HTTP_X_ORIGINAL_", "HTTP_X_REAL_", "HTTP_X_CLIENT_", "HTTP_X_CLUSTER_",
    "HTTP_X_PROXY", "HTTP_X_ENVOY_", "HTTP_CF_", "HTTP_CDN_", "HTTP_FASTLY_", "HTTP_FLY_", "HTTP_TAILSCALE_",
)  # fmt: skip


def is_local(request: HttpRequest) -> bool:
    """Return whether the request comes from a loopback address, and nothing has forwarded it."""
    return is_from_this_machine(request.META)


def is_from_this_machine(meta: Mapping[str, Any]) -> bool:
    """Return the same of a request's headers and REMOTE_ADDR, as WSGI names them.

    An address that is missing or unreadable is nobody's. So is a Unix socket's: only proxies connect to one.
    """
    return is_loopback(meta.get("REMOTE_ADDR") or "") and not is_forwarded(meta)


def is_local_trial(request: HttpRequest, public_url: str) -> bool:
    """Return whether somebody at this machine tries an installation out that nobody else reaches.

    A tunnel or proxy that adds no header still is named in PUBLIC_URL, or in the request's own Host.
    """
    return is_local(request) and names_this_machine(public_url) and names_this_machine(f"//{request.get_host()}")


def names_this_machine(url: str) -> bool:
    """Return whether a URL's host is localhost or a loopback address; one that is not set names nothing else."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return not url or host == "localhost" or host.endswith(".localhost") or is_loopback(host)


def is_loopback(address: str) -> bool:
    """Return whether a socket's other end is this machine, in any spelling of an IPv4 or IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # (Before Python 3.13 ::ffff:127.0.0.1 is no loopback address.)
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def is_forwarded(names: Iterable[str]) -> bool:
    """Return whether one of a request's META names is a header that forwards; an empty value counts as well."""
    known = {*FORWARDING, settings.CLIENT_ADDRESS_META}
    return any(name in known or name.startswith(FORWARDING_PREFIXES) for name in names)
