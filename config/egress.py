"""The proxy through which requests leave this network, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY name it.

One answer for everything that is asked over the network: the model, the providers of channels, and the health check.
aiohttp's own trust_env would read the environment in a thread, and ~/.netrc, for each request.
"""

import ipaddress
import re
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from config.logs.redaction import register_secrets
from config.loopback import names_this_machine

PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=64)
def through(url: str) -> dict[str, Any]:
    """Return the arguments for an aiohttp request to this URL: its proxy, with who we are there; none without one.

    This machine is always asked directly. The environment is read once for each URL.

    Raises:
        ValueError: what the environment names is no HTTP proxy.
    """
    # Imported late: only who asks somebody needs them.
    from urllib.request import getproxies_environment

    from yarl import URL

    wanted, proxies = urlsplit(url), getproxies_environment()
    named = (proxies.get(wanted.scheme) or proxies.get("all") or "").strip()
    if not named or names_this_machine(url) or _is_direct(wanted, proxies.get("no", "")):
        return {}
    proxy = URL(named if "://" in named else f"http://{named}")
    if proxy.scheme not in PORTS or not proxy.host:
        raise ValueError("the proxy of the environment is none that speaks HTTP")
    if proxy.password:
        register_secrets("proxy", [proxy.password])
    return {"proxy": proxy}


def _is_direct(wanted: SplitResult, no_proxy: str) -> bool:
    """Return whether NO_PROXY names a URL's host, as the usual clients read it.

    By its name or a domain it is in (with a dot or "*." before it or without), by its address or network, each with a
    port perhaps; "*" is all.
    """
    host = (wanted.hostname or "").rstrip(".")
    port = wanted.port or PORTS.get(wanted.scheme)
    return any(_names(entry, host, port) for entry in re.split(r"[\s,;]+", no_proxy.lower()) if entry)


def _names(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    name, _, given = entry.rpartition(":") if re.search(r"[^:]:\d+$", entry) else (entry, "", "")
    name = name.removeprefix("*").strip(".[]")
    return bool(name) and given in ("", str(port)) and (host == name or host.endswith(f".{name}"))
