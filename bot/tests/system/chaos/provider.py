"""WhatsApp's side of the webhooks: delivers until it is answered with 200, in order within a chat."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Coroutine, Sequence
from typing import Any

import aiohttp

from bot.tests.support.factories import signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.system.chaos.plan import Plan

ANSWER_SECONDS = 10
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 4.0
# Deliveries that come again although they were answered with 200.
REPEATED_SHARE = 0.05
BURST_SHARE = 0.03
LARGEST_BURST = 6


def numbers(count: int) -> list[str]:
    """Return the phone numbers of so many people."""
    return [f"+4915120{number:06}" for number in range(count)]


class Provider:
    """Posts messages and statuses to the webs.

    accepted: external id → text of what was answered with 200, a chat's in the order in which they were written.
    answers: how often each answer came (or what came in its place).
    """

    def __init__(self, urls: Sequence[str], plan: Plan) -> None:
        self.urls, self.plan = urls, plan
        self.random = random.Random(plan.seed)
        self.accepted: dict[str, str] = {}
        self.answers: Counter[str] = Counter()
        self.written = 0
        self.repeated = 0
        self._queues: dict[str, deque[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=150, keepalive_timeout=5, ssl=False),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        )

    async def write(self) -> None:
        """Let people write at the planned rate until cancelled."""
        chats = numbers(self.plan.chats)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            number = self.random.choice(chats)
            burst = self.random.random() < BURST_SHARE
            texts = self.random.randint(2, LARGEST_BURST) if burst else 1
            for _ in range(texts):
                self._write_one(number)
            due += texts * self.random.expovariate(self.plan.rate)
            await asyncio.sleep(max(due - loop.time(), 0))

    async def deliver(self, body: bytes) -> None:
        """Deliver one body, again and again until it is answered with 200."""
        pause = FIRST_PAUSE
        while await self._post(body) != "200":
            await asyncio.sleep(pause * self.random.uniform(0.5, 1.5))
            pause = min(pause * 2, LONGEST_PAUSE)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work that drained() waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> int:
        """How many deliveries, chats and repetitions are under way."""
        return len(self._tasks)

    async def close(self) -> None:
        """End whatever is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    def _write_one(self, number: str) -> None:
        self.written += 1
        waiting = self._queues.get(number)
        if waiting is None:
            waiting = self._queues[number] = deque()
            self.in_background(self._deliver_chat(number, waiting))
        waiting.append(f"message {self.written}")

    async def _deliver_chat(self, number: str, waiting: deque[str]) -> None:
        while waiting:
            text = waiting.popleft()
            external_id = f"wamid.{text.replace(' ', '.')}"
            body = whatsapp_body(whatsapp_value(messages=[whatsapp_message(text, number, id=external_id)]))
            await self.deliver(body)
            self.accepted[external_id] = text
            if self.random.random() < REPEATED_SHARE:
                self.in_background(self._repeat(body))
        del self._queues[number]

    async def _repeat(self, body: bytes) -> None:
        await asyncio.sleep(self.random.uniform(0, self.plan.late))
        self.repeated += 1
        await self.deliver(body)

    async def _post(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(body)}
        try:
            async with self._client.post(self.random.choice(self.urls), data=body, headers=headers) as response:
                await response.read()
                answer = str(response.status)
        except aiohttp.ClientConnectorError:
            answer = "refused"
        except TimeoutError:
            answer = "too late"
        except aiohttp.ClientError:
            answer = "cut off"
        self.answers[answer] += 1
        return answer
