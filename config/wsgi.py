"""The WSGI application served by granian (see Procfile)."""

import codecs
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from bot.middleware import MACHINE_PATHS, UNREADABLE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request, whatever its content type is.

    Django parses the header before any view or middleware could catch what that raises, and reads the query in the
    charset it names, which need not be one of a text's: either would be a 500 that any stranger can cause. So it never
    sees one that cannot be read: a webhook's is not looked at, as its body is read as bytes, and a page's is a 400.
    """
    if environ.get("PATH_INFO", "").startswith(MACHINE_PATHS):
        environ["CONTENT_TYPE"] = ""
    elif not is_readable(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = ""
        environ[UNREADABLE] = True
    return _django(environ, start_response)


def is_readable(content_type: str) -> bool:
    """Return whether a Content-Type can be parsed and names no charset but UTF-8 (or ASCII, which is part of it)."""
    try:
        _kind, parameters = parse_header_parameters(content_type)
        return codecs.lookup(parameters.get("charset", "utf-8")).name in {"utf-8", "ascii"}
    except Exception:  # whatever the library's parsing meets, the header is no good
        return False
