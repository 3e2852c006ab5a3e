"""A stand-in of Sentry on loopback: it takes every envelope and keeps it, unpacked."""

import gzip
import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class SentryServer:
    """`with SentryServer() as sentry: sentry.dsn, sentry.envelopes, sentry.events()`."""

    def __init__(self) -> None:
        self.envelopes: list[bytes] = []
        envelopes = self.envelopes

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                envelopes.append(unpacked(body, self.headers.get("Content-Encoding") or ""))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def dsn(self) -> str:
        return f"http://key@127.0.0.1:{self.server.server_port}/1"

    def events(self) -> list[dict[str, Any]]:
        """Return the events of all envelopes."""
        lines = [json.loads(line) for envelope in self.envelopes for line in envelope.split(b"\n") if line]
        return [line for line in lines if "platform" in line and "event_id" in line]

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return a request's body as it was before it was compressed.

    Raises:
        ValueError: it is compressed in a way that this cannot read, and so could not search.
    """
    match encoding:
        case "":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
    raise ValueError(f"cannot read {encoding}")
