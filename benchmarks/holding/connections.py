"""Hold connections to a server and open each again as soon as it closes one, in a process of its own.

`python -m benchmarks.holding.connections --kind bodies --count 200 --port … --stop …`: bodies are announced and never
sent, heads never end, idle connections say nothing, downloads are read slowly. It goes on until the file --stop exists.
Prints one JSON object: `opened` in all, the most that were open at once (`most`), and how many were `refused`.
"""

import argparse
import json
import selectors
import socket
import sys
import time
from pathlib import Path

from benchmarks.machine import allow_files
from benchmarks.payloads import WEBHOOK_PATH, signature

LOOK_SECONDS = 0.2
# So many are opened before anything else is looked at.
AT_ONCE = 200
# A source address for so many: each has its own ports.
PER_ADDRESS = 2_000
READ_BYTES = 2_048
READ_EVERY_SECONDS = 0.5
BODY = (
    f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    f"X-Hub-Signature-256: {signature(b'never sent')}\r\nContent-Length: 1000\r\n\r\n"
).encode()
HEAD = f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: 127.0".encode()


def main() -> None:
    """Read the command line, hold, and print how it went."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.holding.connections", description=__doc__)
    parser.add_argument("--kind", choices=("bodies", "heads", "idle", "downloads"), required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stop", type=Path, required=True)
    parser.add_argument("--page", default="/", help="what downloads ask for")
    parser.add_argument("--cookie", default="")
    options = parser.parse_args()
    allow_files(options.count + 100)
    get = f"GET {options.page} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {options.cookie}\r\n\r\n".encode()
    first = {"bodies": BODY, "heads": HEAD, "idle": b"", "downloads": get}[options.kind]
    holder = Holder(options.port, options.count, first, slow=options.kind == "downloads")
    while not options.stop.exists():
        holder.step()
    json.dump({"opened": holder.opened, "most": holder.most, "refused": holder.refused}, sys.stdout)


class Holder:
    """Keeps so many connections open; each begins with the same bytes."""

    def __init__(self, port: int, count: int, first: bytes, *, slow: bool) -> None:
        self.port, self.count, self.first, self.slow = port, count, first, slow
        self.opened = self.most = self.refused = 0
        self._held: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._read_at = 0.0

    def step(self) -> None:
        """Open what is missing, and look once at what was closed."""
        for _ in range(min(AT_ONCE, self.count - len(self._held))):
            self._open()
        self.most = max(self.most, len(self._held))
        if self.slow:
            # The kernel has more ready for us than we want to take: it is left there.
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - self._read_at < READ_EVERY_SECONDS:
                return
            self._read_at = time.monotonic()
            for connection in list(self._held):
                self._read(connection)
            return
        missing = len(self._held) < self.count
        for key, _ in self._selector.select(0 if missing else LOOK_SECONDS):
            self._read(key.fileobj)  # type: ignore[arg-type]

    def _open(self) -> None:
        connection = socket.socket()
        if self.slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
        connection.settimeout(2)
        try:
            connection.bind((f"127.0.0.{2 + self.opened // PER_ADDRESS % 50}", 0))
            connection.connect(("127.0.0.1", self.port))
            connection.sendall(self.first)
        except OSError:
            self.refused += 1
            connection.close()
            time.sleep(0.01)
            return
        connection.setblocking(False)
        self.opened += 1
        self._held.add(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            if connection.recv(READ_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._selector.unregister(connection)
        self._held.discard(connection)
        connection.close()


if __name__ == "__main__":
    main()
