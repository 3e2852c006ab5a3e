"""One line a request: its method, route, status and time. Never its path or query, which may hold anybody's number.

(granian's own access log knows no route and no request id, and has the path.)
"""

import logging

from django.conf import settings
from django.http import HttpRequest

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds by machines.
PROBES = frozenset({"healthz", "readyz", "metrics"})
WEBHOOK = "webhooks/"
STATIC, UNKNOWN = "static", "unknown"


def log_access(method: str | None, route: str, status: int, seconds: float) -> None:
    """Log a request that was answered."""
    # A delivery that was stored has its line already (message_received), and a second one costs as much again.
    stored = route.startswith(WEBHOOK) and status == 200
    level = logging.DEBUG if stored or route in PROBES or route == STATIC else logging.INFO
    if logger.isEnabledFor(level):
        method = method if method in METHODS else "OTHER"
        facts = {"method": method, "route": route, "status": status, "ms": round(seconds * 1_000, 1)}
        logger.log(level, "request_answered", extra=facts)


def route_of(request: HttpRequest) -> str:
    """Return the pattern of the URL that answered, such as `webhooks/<slug:channel>/<slug:bot>/`; a probe's name."""
    if request.resolver_match is not None:
        route = str(request.resolver_match.route)
        if route.startswith(WEBHOOK):
            return f"{route.removesuffix('/')}/"
        return probe if (probe := route.removesuffix("/")) in PROBES else route
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else UNKNOWN
