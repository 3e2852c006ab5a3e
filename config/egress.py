"""The proxy through which requests leave this network, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY name it.

One answer for everything that is asked over the network: the model, the providers of channels, and the health check.
aiohttp's own trust_env would read the environment in a thread, and ~/.netrc, for each request.
"""

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from config.logs.redaction import know_secrets
from config.loopback import names_this_machine


@lru_cache(maxsize=64)
def through(url: str) -> dict[str, Any]:
    """Return the arguments for an aiohttp request to this URL: its proxy, with who we are there; none without one.

    This machine is always asked directly. The environment is read once for each URL.
    """
    # Imported late: only who asks somebody needs them.
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    from yarl import URL

    wanted, proxies = urlsplit(url), getproxies_environment()
    named = proxies.get(wanted.scheme) or proxies.get("all")
    if not named or names_this_machine(url) or proxy_bypass_environment(wanted.netloc.rpartition("@")[2], proxies):
        return {}
    proxy = URL(named if "://" in named else f"http://{named}")
    if proxy.password:
        know_secrets("proxy", [proxy.password])
    return {"proxy": proxy}
