"""Follow the log of a stand-in while it is written: what the provider was asked, and when, by this machine's clock."""

import json
from pathlib import Path
from typing import Any


class StandInLog:
    """The requests of one stand-in so far. read() looks for new ones; it does not trouble the stand-in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[dict[str, Any]] = []
        self._position = 0

    def read(self) -> list[dict[str, Any]]:
        """Return every request logged so far, oldest first."""
        with self.path.open("rb") as file:
            file.seek(self._position)
            # The last line may be half written.
            complete = file.read().rpartition(b"\n")
        self._position += len(complete[0]) + len(complete[1])
        self.requests += [json.loads(line) for line in complete[0].splitlines()]
        return self.requests

    def answered(self) -> list[dict[str, Any]]:
        """Return the requests that were given an id: completions at a model, texts (no read receipts) at a channel."""
        return [request for request in self.read() if request["id"]]
