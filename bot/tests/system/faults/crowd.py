"""Clients that are slow, many or large, and what a process holds for them."""

import os
import socket
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE_SECONDS = 30
WEBHOOK = "/webhooks/whatsapp/shop/"
LOGIN = "/admin/login/"


def head(method: str, path: str, *lines: str, host: str = "localhost") -> bytes:
    """Return a request's head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode("latin-1")


def form(fields: dict[str, str], path: str = LOGIN, *lines: str) -> bytes:
    """Return a form that is posted with a valid CSRF token; its fields are sent as they are."""
    body = "&".join(f"{name}={value}" for name, value in {**fields, "csrfmiddlewaretoken": "c" * 32}.items()).encode()
    kind = "Content-Type: application/x-www-form-urlencoded"
    return head("POST", path, *lines, kind, f"Content-Length: {len(body)}", f"Cookie: csrftoken={'c' * 32}") + body


def chunked(body: bytes) -> bytes:
    """Return a body as one chunk and the end."""
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


class Crowd:
    """Connections to one port that stay open until the end of the block; nobody reads what they are answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self.connections:
            connection.close()

    def join(self, count: int, *said: bytes, receives: int | None = None) -> None:
        """Add so many connections that say this; receives: how large their windows are."""
        for _ in range(count):
            connection = socket.socket()
            if receives is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(("127.0.0.1", self.port))
            self.connections.append(connection)
            with suppress(OSError):
                for words in said:
                    connection.sendall(words)

    def say(self, words: bytes) -> None:
        """Let each say something more, unless it was hung up on."""
        for connection in self.connections:
            with suppress(OSError):
                connection.sendall(words)

    def reopen_closed(self) -> int:
        """Open those again that the other end has closed, and return how many they were."""
        closed = [connection for connection in self.connections if is_closed(connection)]
        for connection in closed:
            connection.close()
            self.connections.remove(connection)
        self.join(len(closed))
        return len(closed)


def is_closed(connection: socket.socket) -> bool:
    """Return whether the other end has closed the connection."""
    connection.setblocking(False)
    try:
        return connection.recv(65_536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(PATIENCE_SECONDS)


def ask(port: int, *said: bytes) -> bytes:
    """Say something and return the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        with suppress(OSError):
            for words in said:
                connection.sendall(words)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> bytes:
    """Return what a connection is answered, up to the end of the answer or until nothing more comes."""
    answer = b""
    with suppress(OSError):
        while not complete(answer) and (piece := connection.recv(65_536)):
            answer += piece
    return answer


def read_all(connection: socket.socket) -> bytes:
    """Return all that a connection is told until the other end closes it."""
    answer = b""
    with suppress(OSError):
        while piece := connection.recv(65_536):
            answer += piece
    return answer


def complete(answer: bytes) -> bool:
    """Return whether an answer with a Content-Length is all there."""
    top, end, body = answer.partition(b"\r\n\r\n")
    if top.startswith(b"HTTP/1.1 100"):
        return complete(body)
    length = headers_of(answer).get("content-length")
    return bool(end) and length is not None and len(body) >= int(length)


def status_of(answer: bytes) -> int:
    """Return an answer's status; 0 when there is none."""
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0


def headers_of(answer: bytes) -> dict[str, str]:
    """Return an answer's headers, with names in lower case."""
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def family(process: "subprocess.Popen[Any]") -> list[int]:
    """Return the ids of a process and of all below it."""
    found = [process.pid]
    for pid in found:
        with suppress(OSError):
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found


def resident_megabytes(process: "subprocess.Popen[Any]") -> int:
    """Return the memory that a process and all below it hold."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in family(process))
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024 // 1024


def open_files(process: "subprocess.Popen[Any]") -> int:
    """Return how many files and connections a process and all below it have open."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in family(process))


def size_of(folder: Path) -> int:
    """Return how many bytes the files of a folder hold."""

    def sizes() -> Iterable[int]:
        for file in folder.rglob("*"):
            with suppress(OSError):
                yield file.stat().st_size

    return sum(sizes())
