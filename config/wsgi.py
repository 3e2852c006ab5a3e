"""The WSGI application served by granian (`granian --interface wsgi config.wsgi:application`)."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bot.metrics import flush_in_background
from bot.middleware import MACHINE_PATHS, PROBE_PATHS
from config.admission import Admission

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request at once. A webhook's content type is not looked at: its body is read as bytes.

    Django parses the header before any view or middleware could catch what that raises, and reads the query in the
    charset it names, which need not be one of a text's: either would be a 500 that any stranger can cause.
    """
    if environ.get("PATH_INFO", "").startswith(MACHINE_PATHS):
        environ["CONTENT_TYPE"] = ""
    return _django(environ, start_response)


_admitted = Admission(answer, settings.WEB_THREADS)
_serving = False


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request: a probe whatever the others wait for, anything else once it is let in."""
    global _serving
    if not _serving:
        flush_in_background()
        _serving = True
    if environ.get("PATH_INFO", "").startswith(PROBE_PATHS):
        return answer(environ, start_response)
    return _admitted(environ, start_response)
