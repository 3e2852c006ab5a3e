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
_admitted = Admission(_django, settings.WEB_THREADS)
flush_in_background()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request: probes at once, in the server's own thread, whatever the others wait for.

    A webhook's content type is not looked at: its body is read as bytes. Django parses the header before any view or
    middleware could catch what that raises, and reads the query in the charset it names, which need not be one of a
    text's: either would be a 500 that any stranger can cause.
    """
    path = environ.get("PATH_INFO", "")
    if path.startswith(MACHINE_PATHS):
        environ["CONTENT_TYPE"] = ""
    if path.startswith(PROBE_PATHS):
        return _django(environ, start_response)
    return _admitted(environ, start_response)
