"""Ask for what depends on what, against servers that misbehave."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.http import HttpResponse
from django.test import RequestFactory

from bot.monitoring import health


def ask_readyz(**headers: str) -> HttpResponse:
    """Ask, seconds after anybody else did."""
    health.forget()
    return health.readyz(RequestFactory(headers=headers).get("/readyz"))


def checks_of(response: HttpResponse) -> dict[str, str]:
    return json.loads(response.content)["checks"]


class ModelServer(ThreadingHTTPServer):
    """A real HTTP server in the model's place; it answers with `status` and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ModelHandler)
        self.status = 200
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class ModelHandler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        return None
