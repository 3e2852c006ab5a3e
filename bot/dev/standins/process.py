"""Start a stand-in as a subprocess and talk to its control endpoints, with the standard library only."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import ProxyHandler, Request, build_opener

from bot.dev.standins.faults import Fault

PROJECT = Path(__file__).resolve().parents[3]
# Loopback, whatever proxy the developer's shell has set.
OPENER = build_opener(ProxyHandler({}))
CONTROL_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 10


class StandIn:
    """A running stand-in: `with StandIn.start("model") as model: model.url, model.script([…]), model.requests()`."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process = process
        self.url = url

    @classmethod
    def start(
        cls, kind: str, *, port: int = 0, log: Path | str | None = None, delay: float = 0.0, reply: str | None = None
    ) -> Self:
        """Start a stand-in ("model" or "whatsapp") and return once it listens.

        Raises:
            RuntimeError: it did not come up (a port in use, an unwritable log).
        """
        command = [sys.executable, "-m", "bot.dev.standins", kind, "--port", str(port), "--delay", str(delay)]
        if log is not None:
            command += ["--log", str(log)]
        if reply is not None:
            command += ["--reply", reply]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)  # noqa: S603 (our own words)
        said = process.stdout.readline().strip() if process.stdout else ""
        if not said.startswith("listening on "):
            cls(process, "").stop()
            raise RuntimeError(f"the {kind} stand-in did not start")
        return cls(process, said.removeprefix("listening on "))

    @property
    def port(self) -> int:
        """The port it listens on, to start another one there."""
        return int(self.url.rsplit(":", 1)[1])

    def requests(self) -> list[dict[str, Any]]:
        """Return every request received so far, oldest first.

        Each has time, method, path, headers, authorized, status (None: never answered), id, billed (the usage answered
        with, or None), behaviour and body.
        """
        received: list[dict[str, Any]] = self.control("/_log")
        return received

    def script(self, behaviours: Iterable[dict[str, Any]]) -> None:
        """Append behaviours, each used up by one request: what to do in place of the provider's answer.

        {"status": 429, "headers": {"Retry-After": "1"}, "json": {…}}, {"raw": "garbage"}, {"empty": true} (no body),
        {"text": "…"} (the model says this), {"delay": 2}, {"drip": 1.0} (one byte each second), {"hang": true},
        {"reset": true} (TCP reset after the request was read). Keys combine. {"for": "…"} leaves a behaviour to
        the first request whose body holds these words, whoever asks before it.
        """
        self.control("/_script", list(behaviours))

    def faults(self, faults: Iterable[Fault], seed: int = 0) -> None:
        """Answer a share of the requests like this, at random: [(0.02, {"reset": True}), …]; none ends it."""
        self.control("/_faults", {"seed": seed, "faults": list(faults)})

    def reset(self) -> None:
        """Forget what was received, what was scripted, and random faults."""
        self.control("/_reset", [])

    def control(self, path: str, content: list[Any] | dict[str, Any] | None = None) -> Any:
        """Call a control endpoint: POST when there is content."""
        data = None if content is None else json.dumps(content).encode()
        request = Request(self.url + path, data=data)  # noqa: S310 (our own loopback URL)
        with OPENER.open(request, timeout=CONTROL_TIMEOUT_SECONDS) as response:
            return json.load(response)

    def stop(self) -> None:
        """End the process; safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
