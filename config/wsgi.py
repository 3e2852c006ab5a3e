"""The WSGI application of the pages' process, behind the front (see Procfile). Any WSGI server can serve it alone."""

import codecs
import io
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from bot.monitoring.metrics import flush_in_background
from bot.web.middleware import MACHINE_PATHS, UNREADABLE
from config.file_modes import keep_new_files_private
from config.front import is_from_front

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()

import config.urls  # noqa: E402, F401 (the first request would wait for every page to be imported)

# Else granian names itself in every answer.
SERVER = ("Server", "web")
_serving = False


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request at once, whatever its content type is and however its body came.

    Django parses the header before any view or middleware could catch what that raises, and reads the query in the
    charset it names, which need not be one of a text's: either would be a 500 that any stranger can cause. So it never
    sees one that cannot be read: a webhook's is not looked at, as its body is read as bytes, and a page's is a 400.
    """
    if environ.get("PATH_INFO", "").startswith(MACHINE_PATHS):
        environ["CONTENT_TYPE"] = ""
    elif not is_readable(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = ""
        environ[UNREADABLE] = True
    give_length(environ)
    return _django(environ, start_response)


def is_readable(content_type: str) -> bool:
    """Return whether a Content-Type can be parsed and names no charset but UTF-8 (or ASCII, which is part of it)."""
    try:
        _kind, parameters = parse_header_parameters(content_type)
        return codecs.lookup(parameters.get("charset", "utf-8")).name in {"utf-8", "ascii"}
    except Exception:  # whatever the library's parsing meets, the header is no good
        return False


def give_length(environ: dict[str, Any]) -> None:
    """Give a body that came in chunks a length: Django reads none without. One byte over the limit is refused as such.

    (Of granian's input, which ends by itself. The front sends none in chunks.)
    """
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
        return
    body = environ["wsgi.input"].read(settings.WEBHOOK_MAX_BYTES + 1)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)


def believe_front(environ: dict[str, Any]) -> None:
    """Take a request that the front hands over to be from whom it came to the front."""
    client, token = environ.pop("HTTP_PARLEY_CLIENT", ""), environ.pop("HTTP_PARLEY_FRONT", "")
    if is_from_front(token):
        environ["REMOTE_ADDR"] = client


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request."""
    global _serving
    if not _serving:
        keep_new_files_private()
        flush_in_background()
        _serving = True

    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        headers.append(SERVER)
        return start_response(status, headers, *exc_info)

    believe_front(environ)
    return answer(environ, start)
