"""manage.py healthcheck: whether a process does its work."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from bot.monitoring.heartbeats import ALIVE, Kind, beat, host_name, process_name

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("kind", list(Kind))
def test_healthcheck_is_content_with_a_fresh_heartbeat_of_this_machine(
    kind: Kind, capsys: pytest.CaptureFixture[str]
) -> None:
    beat(kind, process_name())
    call_command("healthcheck", str(kind))
    assert capsys.readouterr().out == f"{kind}: last seen 0 s ago\n"


@pytest.mark.parametrize("kind", list(Kind))
def test_healthcheck_says_what_is_wrong_with_a_process(kind: Kind) -> None:
    beat(kind, "another-machine:1:a")
    with pytest.raises(CommandError, match=f"{kind}: none was ever seen on this machine"):
        call_command("healthcheck", str(kind))
    with time_machine.travel(timezone.now() - ALIVE[kind] - timedelta(seconds=60)):
        beat(kind, f"{host_name()}1:a")
    with pytest.raises(CommandError, match=rf"{kind}: last seen \d+ s ago, more than {ALIVE[kind].seconds} s"):
        call_command("healthcheck", str(kind))


def test_healthcheck_says_when_the_database_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OperationalError("canary-detail")

    monkeypatch.setattr("bot.management.commands.healthcheck.brief_connection", fail)
    with pytest.raises(CommandError, match=r"^worker: the database does not answer \(OperationalError\)$"):
        call_command("healthcheck", "worker")


class Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/readyz" else 200)
        self.end_headers()
        self.wfile.write(b"said")

    def log_message(self, *args: object) -> None:
        return None


@pytest.fixture
def web_port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_healthcheck_asks_the_web_process(web_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("healthcheck", "web", port=web_port)
    assert capsys.readouterr().out == "web: /healthz answered 200 said\n"
    with pytest.raises(CommandError, match="web: /readyz answered 503 said"):
        call_command("healthcheck", "web", port=web_port, ready=True)


def test_healthcheck_gives_up_on_a_web_process_that_hangs_or_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(CommandError, match=f"web: no answer from port {port} within 1 s"):
            call_command("healthcheck", "web", port=port, timeout=1)
    with pytest.raises(CommandError, match=f"web: nothing answers on port {port}"):
        call_command("healthcheck", "web", port=port)
    with pytest.raises(CommandError, match="--timeout must be at least 1"):
        call_command("healthcheck", "web", timeout=0)
