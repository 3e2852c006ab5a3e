"""The two entrances to webhooks: the front, and Django's view behind a WSGI server. What one promises, both keep."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from bot.tests.front.calling import Caller, calling
from bot.tests.support.factories import signature
from bot.tests.support.wsgi import Answer, ask

ENTRANCES = ("front", "django")
JSON = "application/json"


class Entrance(Protocol):
    """A way for requests to come in."""

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a request; a Content-Type and a Content-Length are headers like others."""

    def post(self, path: str, body: bytes, signed: str | None = None) -> Answer:
        """Return the answer to a delivery, with the right signature if none is given."""
        given = signature(body) if signed is None else signed
        return self.ask("POST", path, body, {"Content-Type": JSON, "X-Hub-Signature-256": given})

    def get(self, path: str, query: str = "") -> Answer:
        """Return the answer to a GET; the query is as it stands in the URL."""
        return self.ask("GET", f"{path}?{query}" if query else path)


class Django(Entrance):
    """The WSGI application of the pages' process."""

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a request."""
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if f"HTTP_{name}" in environ:
                environ[name] = environ.pop(f"HTTP_{name}")
        return ask(target, method, body, **environ)


class Front(Entrance):
    """The front, within this process."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a request."""
        given = self.caller.ask(method, target, body, headers or {})
        return Answer(given.status, dict(given.headers), given.content.decode())


@contextmanager
def entrance(name: str) -> Iterator[Entrance]:
    """Yield one of ENTRANCES."""
    if name == "django":
        yield Django()
        return
    with calling() as caller:
        yield Front(caller)
