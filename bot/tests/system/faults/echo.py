"""A WSGI application in place of the pages: it answers what it is asked, as the pages would see it."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from config.wsgi import believe_front

TOLD = ("PATH_INFO", "QUERY_STRING", "REQUEST_METHOD", "REMOTE_ADDR", "CONTENT_LENGTH", "CONTENT_TYPE")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the request's variables and its body."""
    believe_front(environ)
    told = {name: value for name, value in environ.items() if name in TOLD or name.startswith("HTTP_")}
    told["body"] = environ["wsgi.input"].read().decode("latin-1")
    answer = json.dumps(told).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
