"""What a stand-in keeps of the requests it was asked: one JSON line each."""

import json
import tempfile
from pathlib import Path
from typing import IO, Any

from aiohttp import web

LOGGED_HEADERS = ("Content-Type", "User-Agent", "Idempotency-Key", "X-Stainless-Retry-Count")


class RequestLog:
    """One JSON line a request, in a file: complete however long the run, and readable while it goes on."""

    def __init__(self, path: Path | None) -> None:
        # Unbuffered and in append mode: a line is in the file when the request is answered, whatever kills us later.
        self.file: IO[bytes] = (
            path.open("a+b", buffering=0) if path else tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115
        )

    def write(self, line: bytes) -> None:
        """Append one line."""
        self.file.write(line + b"\n")

    def as_array(self) -> bytes:
        """Return all lines as one JSON array."""
        self.file.seek(0)
        return b"[" + b",".join(self.file.read().splitlines()) + b"]"

    def clear(self) -> None:
        """Forget every line."""
        # A temporary file has no append mode: it goes on where its position is.
        self.file.seek(0)
        self.file.truncate()


def log_line(request: web.BaseRequest, raw: bytes, body: Any, facts: dict[str, Any]) -> bytes:
    """Return one request as a JSON line, with facts: the authorization is checked and its value left out."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    entry = {
        "method": request.method,
        "path": request.path_qs,
        "headers": {name: request.headers[name] for name in LOGGED_HEADERS if name in request.headers},
        "authorized": scheme == "Bearer" and bool(token.strip()),
        **facts,
    }
    line = json.dumps(entry).encode()
    if body is None:
        return line[:-1] + b', "body": null, "raw": ' + json.dumps(raw.decode("utf-8", "replace")).encode() + b"}"
    # The body is JSON already: it goes in as it came. Its line breaks can only lie between tokens.
    return line[:-1] + b', "body": ' + raw.replace(b"\n", b" ").replace(b"\r", b" ") + b"}"
