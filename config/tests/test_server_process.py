"""What a real granian tells of itself, and whom it takes a request to be from. No database is asked."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.tests.system.faults.binaries import free_port
from config.tests.bare import bare_environment

BASE = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.processes


def serve(**environment: str) -> tuple["subprocess.Popen[bytes]", int]:
    port = free_port()
    command = (
        sys.executable, "-m", "granian", "--log-config", "config/granian.json", "--interface", "wsgi",
        "--port", str(port), "config.tests.answering:application",
    )  # fmt: skip
    own = bare_environment(PYTHONPATH=str(BASE), ENVIRONMENT="test", LLM_PROVIDER="demo", **environment)
    process = subprocess.Popen(command, cwd=BASE, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if ask(port, "/healthz")[0].startswith("HTTP/1.1 200"):
                return process, port
        except OSError:
            time.sleep(0.1)
    process.kill()
    pytest.fail(f"granian does not answer; ended with {process.poll()}")


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    started = []

    def start(**environment: str) -> int:
        process, port = serve(**environment)
        started.append(process)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


def ask(port: int, path: str, *headers: str) -> tuple[str, str]:
    """Return the head and the body of an answer; headers are sent in their order, as a proxy could."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head, body


def test_no_answer_names_the_server_and_a_proxy_is_believed_in_what_nobody_can_imitate(server: Any) -> None:
    port = server(CLIENT_ADDRESS_HEADER="Clientaddress")
    for path in ("/healthz", "/webhooks/", "/nowhere", "/admin/"):
        head = ask(port, path)[0].lower()
        assert "granian" not in head and head.count("server: ") == 1, head
    forged = [
        "X_Forwarded_For: 1.1.1.1",
        "X-Forwarded-For: 1.1.1.1",
        "Client_Address: 1.1.1.1",
        "Client-Address: 1.1.1.1",
    ]
    assert ask(port, "/whose", *forged, "Clientaddress: 203.0.113.6:4711", *forged)[1] == "203.0.113.6"


def test_lines_of_one_name_count_as_one_list_and_its_end_is_the_proxys(server: Any) -> None:
    port = server()
    assert ask(port, "/whose", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 203.0.113.6:40000")[1] == "203.0.113.6"
    assert ask(port, "/whose", "X-Forwarded-For: 1.1.1.1, [2001:db8::5]:40002")[1] == "2001:db8::5"
    # granian drops no underscore and keeps the last: a proxy that passes such names on has to be told not to.
    assert ask(port, "/whose", "X-Forwarded-For: 203.0.113.6", "X_Forwarded_For: 1.1.1.1")[1] == "1.1.1.1"
