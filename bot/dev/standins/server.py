"""What every stand-in does: log each request before it is answered, then answer as scripted, or as the provider would.

Control endpoints, never logged: GET /_log (what was received, a JSON array), POST /_script (behaviours to append, a
JSON array; each is used up by one request), POST /_faults ({"seed": 1, "faults": [[0.02, {"reset": true}], ...]}:
behaviours for that share of the requests that no script speaks for), POST /_reset (forget log, script and faults).

The handler is a bare `web.Server` (no router, no middleware) and each body is parsed once: what is measured runs on
the same machine.
"""

import asyncio
import json
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from bot.dev.standins.faults import RandomFaults, unknown_keys
from bot.dev.standins.forms import read_form
from bot.dev.standins.log import RequestLog, log_line

# A reset is a closed socket without a farewell: linger on, for zero seconds, makes the kernel send RST.
RESET_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider would say; `id` is the id it gives to what it was sent, if it gives one.

    billed: the usage it counts, where it answers with one.
    """

    json: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    id: str = ""
    billed: dict[str, Any] | None = None


class StandInServer(ABC):
    """A provider's stand-in; a subclass says what the provider answers."""

    name: ClassVar[str]

    def __init__(self, log: Path | None = None, delay: float = 0.0) -> None:
        self.log = RequestLog(log)
        self.delay = delay
        self.script: deque[dict[str, Any]] = deque()
        self.faults = RandomFaults()

    @abstractmethod
    def answer(self, request: web.BaseRequest, body: Any, text: str | None) -> Answer:
        """Return the provider's answer to a parsed body (None: absent or no JSON); text, if given, is what to reply."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request."""
        raw = await request.read()
        if request.path.startswith("/_"):
            return self.control(request, raw)
        received = time.time()
        body, content = parsed(request, raw)
        behaviour = self.scripted(raw)
        answer = scripted_answer(behaviour) or self.answer(request, body, behaviour.get("text"))
        silent = behaviour.get("hang") or behaviour.get("reset")
        facts = {
            "time": received,
            "status": None if silent else answer.status,
            "id": answer.id,
            "billed": None if silent else answer.billed,
            "behaviour": behaviour,
        }
        self.log.write(log_line(request, content, body, facts))
        return await self.act(request, behaviour, answer)

    def scripted(self, raw: bytes) -> dict[str, Any]:
        """Take the first behaviour that is for this body off the script; without one, draw a fault if there are any."""
        for position, behaviour in enumerate(self.script):
            if behaviour.get("for", "").encode() in raw:
                del self.script[position]
                return behaviour
        return self.faults.draw()

    async def act(self, request: web.BaseRequest, behaviour: dict[str, Any], answer: Answer) -> web.StreamResponse:
        """Deliver the answer in the way the behaviour asks for."""
        delay = behaviour.get("delay", self.delay)
        if delay:
            await asyncio.sleep(delay)
        if behaviour.get("hang"):
            await asyncio.Event().wait()
        if behaviour.get("reset"):
            close_with_reset(request)
        content, content_type = encoded(behaviour, answer)
        headers = {"Content-Type": content_type, **answer.headers}
        if "drip" in behaviour:
            return await drip(request, answer.status, headers, content, behaviour["drip"])
        return web.Response(body=content, status=answer.status, headers=headers)

    def control(self, request: web.BaseRequest, raw: bytes) -> web.Response:
        """Answer a control endpoint."""
        match request.method, request.path:
            case "GET", "/_log":
                return web.Response(body=self.log.as_array(), content_type="application/json")
            case "POST", "/_script":
                behaviours = json.loads(raw)
                if unknown := unknown_keys(behaviours):
                    return web.json_response({"error": f"unknown behaviour: {unknown}"}, status=400)
                self.script.extend(behaviours)
                return web.json_response({"pending": len(self.script)})
            case "POST", "/_faults":
                wanted = json.loads(raw)
                if unknown := unknown_keys([behaviour for _, behaviour in wanted["faults"]]):
                    return web.json_response({"error": f"unknown behaviour: {unknown}"}, status=400)
                self.faults = RandomFaults(wanted["faults"], wanted["seed"])
                return web.json_response({"faults": len(wanted["faults"])})
            case "POST", "/_reset":
                self.log.clear()
                self.script.clear()
                self.faults = RandomFaults()
                return web.json_response({"pending": 0})
        return web.json_response({"error": "unknown control endpoint"}, status=404)


def parsed(request: web.BaseRequest, raw: bytes) -> tuple[Any, bytes]:
    """Return a body (None: absent, or neither JSON nor a form) and what it is in the log: a form becomes JSON."""
    form = read_form(request.headers.get("Content-Type", ""), raw)
    if form is not None:
        return form, json.dumps(form).encode()
    try:
        return (json.loads(raw) if raw else None), raw
    except ValueError:
        return None, raw


def scripted_answer(behaviour: dict[str, Any]) -> Answer | None:
    """Return the answer a behaviour dictates, or None: as the provider would."""
    if not behaviour.keys() & {"status", "json", "raw", "empty"}:
        return None
    return Answer(behaviour.get("json"), behaviour.get("status", 200), behaviour.get("headers", {}))


def encoded(behaviour: dict[str, Any], answer: Answer) -> tuple[bytes, str]:
    """Return the body to send and its content type."""
    if behaviour.get("empty"):
        return b"", "application/json"
    if "raw" in behaviour:
        return behaviour["raw"].encode("utf-8", "surrogatepass"), "text/plain"
    return json.dumps(answer.json).encode(), "application/json"


def close_with_reset(request: web.BaseRequest) -> None:
    """Close the connection now, with a TCP reset; the handler is cancelled by it."""
    transport = request.transport
    if transport is None:
        return
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_LINGER)
    transport.abort()


async def drip(
    request: web.BaseRequest, status: int, headers: dict[str, str], content: bytes, interval: float
) -> web.StreamResponse:
    """Send the content one byte an interval."""
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(content)
    await response.prepare(request)
    for position in range(len(content)):
        await response.write(content[position : position + 1])
        await asyncio.sleep(interval)
    return response
