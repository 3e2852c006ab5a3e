"""A proxy in front of PostgreSQL that lets a commit happen and loses its answer."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK = 1 << 16


class ForgetfulProxy:
    """Passes everything on, and cuts the connection in place of the answers that lose() names."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.lost: list[str] = []
        self._to_lose: list[str] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def lose(self, phrase: str, times: int = 1) -> None:
        """Lose the answer to the commit of the next transactions that hold this phrase of SQL (or to it alone)."""
        with self._lock:
            self._to_lose += [phrase] * times

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # (A close alone would not wake the thread that accepts.)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                client.close()
                continue
            pair = Pair(self, client, server)
            threading.Thread(target=pair.ask, daemon=True).start()
            threading.Thread(target=pair.answer, daemon=True).start()

    def take(self, transaction: str) -> bool:
        """Return whether the answer to this transaction's end is to be lost, and count it."""
        with self._lock:
            phrase = next((phrase for phrase in self._to_lose if phrase in transaction), None)
            if phrase is None:
                return False
            self._to_lose.remove(phrase)
            self.lost.append(phrase)
            return True


class Pair:
    """One client's connection and its other half to the server."""

    def __init__(self, proxy: ForgetfulProxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.losing = False

    def ask(self) -> None:
        """Pass on what the client says, until the answer to a commit is to be lost."""
        transaction, is_open = "", False
        while chunk := received(self.client):
            said = chunk.decode(errors="replace")
            is_open = is_open or "BEGIN" in said
            transaction += said
            ends = not is_open or "COMMIT" in said
            if ends:
                self.losing = self.proxy.take(transaction)
            if ends or "ROLLBACK" in said:
                transaction, is_open = "", False
            if not sent(self.server, chunk):
                break
        self.close()

    def answer(self) -> None:
        """Pass on what the server says; what is to be lost was done by then, and the connection is cut."""
        while (chunk := received(self.server)) and not self.losing and sent(self.client, chunk):
            pass
        self.close()

    def close(self) -> None:
        """Cut both halves; the other thread notices."""
        for half in (self.client, self.server):
            with suppress(OSError):
                half.shutdown(socket.SHUT_RDWR)


def received(half: socket.socket) -> bytes:
    """Return what arrived; empty at the end."""
    try:
        return half.recv(CHUNK)
    except OSError:
        return b""


def sent(half: socket.socket, chunk: bytes) -> bool:
    """Send and return whether that was possible."""
    try:
        half.sendall(chunk)
    except OSError:
        return False
    return True
