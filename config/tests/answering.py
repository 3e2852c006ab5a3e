"""The WSGI application for a real granian: as it is, and where it says which address it takes a request to be from."""

from collections.abc import Callable, Iterable
from typing import Any

from config.wsgi import application as parley


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer /whose with the client's address behind a proxy; anything else as Parley does."""
    if environ["PATH_INFO"] != "/whose":
        return parley(environ, start_response)
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIRequest

    from users.login.clients import client_address

    settings.BEHIND_PROXY = True
    body = client_address(WSGIRequest(environ)).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
