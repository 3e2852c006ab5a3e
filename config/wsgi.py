"""The WSGI application served by granian (see Procfile)."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from bot.middleware import MACHINE_PATHS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request. A webhook's content type is not looked at: its body is read as bytes.

    Django parses the header before any view or middleware could catch what that raises, and reads the query in the
    charset it names, which need not be one of a text's: either would be a 500 that any stranger can cause.
    """
    if environ.get("PATH_INFO", "").startswith(MACHINE_PATHS):
        environ["CONTENT_TYPE"] = ""
    return _django(environ, start_response)
