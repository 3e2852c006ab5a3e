"""WhatsApp's delivery statuses: read off the channel stand-in's log, posted late, early, twice and out of order."""

import asyncio
import heapq
import json
import random
from pathlib import Path
from typing import Any

from bot.tests.support.factories import whatsapp_body, whatsapp_value
from bot.tests.system.chaos.plan import Plan
from bot.tests.system.chaos.provider import Provider
from bot.tests.system.faults.ledger import may_have_been_taken

LOOK_EVERY = 0.1
MOST_IN_ONE_DELIVERY = 20
# Where the answer was lost, the message mostly got through all the same.
GOT_THROUGH_UNANSWERED = 0.8


class Statuses:
    """Posts what became of each send that was taken."""

    def __init__(self, provider: Provider, log: Path, plan: Plan) -> None:
        self.provider, self.log, self.late = provider, log, plan.late
        self.random = random.Random(plan.seed)
        self.posted = 0
        self._position = 0
        self._due: list[tuple[float, int, dict[str, Any]]] = []

    @property
    def waiting(self) -> int:
        """How many statuses are still to be posted."""
        return len(self._due)

    async def run(self) -> None:
        """Post statuses until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            for request in self._new_requests():
                self._plan(request, loop.time())
            ready: list[dict[str, Any]] = []
            while self._due and self._due[0][0] <= loop.time() and len(ready) < MOST_IN_ONE_DELIVERY:
                ready.append(heapq.heappop(self._due)[2])
            if ready:
                self.random.shuffle(ready)
                self.posted += len(ready)
                self.provider.in_background(self.provider.deliver(whatsapp_body(whatsapp_value(statuses=ready))))
            if len(ready) < MOST_IN_ONE_DELIVERY:
                await asyncio.sleep(LOOK_EVERY)

    def _new_requests(self) -> list[dict[str, Any]]:
        with self.log.open("rb") as log:
            log.seek(self._position)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._position += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def _plan(self, request: dict[str, Any], now: float) -> None:
        body = request["body"] or {}
        if body.get("type") != "text" or not may_have_been_taken(request):
            return
        answered = request["status"] == 200
        if not answered and self.random.random() > GOT_THROUGH_UNANSWERED:
            return
        sent, delivered = self._moments()
        # A gateway's error names no id: the message has one all the same.
        wamid = request["id"] or f"wamid.unseen.{body['biz_opaque_callback_data']}"
        for word, moment in (("sent", sent), ("delivered", delivered)):
            status = {
                "id": wamid,
                "status": word,
                "recipient_id": body.get("to"),
                "biz_opaque_callback_data": body["biz_opaque_callback_data"],
            }
            heapq.heappush(self._due, (now + moment, self.random.getrandbits(60), status))

    def _moments(self) -> tuple[float, float]:
        """Return in how many seconds `sent` and `delivered` are posted."""
        kind = self.random.random()
        if kind < 0.2:  # at once: before the worker has written down that it sent anything
            return 0.0, 0.0
        if kind < 0.3:  # the wrong way round
            return self.random.uniform(1, 3), self.random.uniform(0, 1)
        if kind < 0.4:  # late
            return self.random.uniform(self.late / 3, self.late), self.random.uniform(self.late / 3, self.late)
        sent = self.random.uniform(0.05, 0.5)
        return sent, sent + self.random.uniform(0.1, 2)
