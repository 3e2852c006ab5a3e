"""Answer messages with the worker's own code, with a model and a channel that answer in this process."""

import asyncio
from collections.abc import Callable, Sequence

import aiohttp
from django.utils import timezone

from benchmarks.counted.virtual_loop import run
from benchmarks.payloads import address
from bot.ai.base import Completion, CompletionRequest, LanguageModel
from bot.channels.connection import Account
from bot.channels.registry import CHANNELS
from bot.channels.sending import OutboundText
from bot.channels.whatsapp import WhatsAppChannel
from bot.models import InboundMessage
from bot.worker.worker import Worker

CONCURRENCY = 50
MODEL = "gpt-6-luna"
# Of virtual time.
SETTLE_SECONDS = 0.5


class EchoModel(LanguageModel):
    """Answers with what it was asked."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return an echo with made-up counts of tokens."""
        text = f"Echo: {request.messages[-1].content}"
        return Completion(text=text, model=MODEL, input_tokens=100, output_tokens=20)


class SilentWhatsApp(WhatsAppChannel):
    """Accepts every send without asking anybody."""

    sent = 0

    async def send(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        """Count a send and return an id for it."""
        SilentWhatsApp.sent += 1
        return f"wamid.sent{message.id}"

    async def show_typing(self, client: aiohttp.ClientSession, account: Account, external_id: str) -> None:
        """Show nothing."""


def answer(parts: Sequence[int], begin: Callable[[int], None]) -> None:
    """Let one worker answer a message of each person, part by part; begin(number) is called before each part.

    The messages are stored already, and become available part by part.
    """
    CHANNELS["whatsapp"] = SilentWhatsApp()
    run(_answer(parts, begin))


async def _answer(parts: Sequence[int], begin: Callable[[int], None]) -> None:
    worker = Worker(CONCURRENCY, model_factory=EchoModel)
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(SETTLE_SECONDS)
    done = 0
    for number, size in enumerate(parts):
        begin(number)
        await loop.run_in_executor(None, make_available, range(done, done + size))
        done += size
        while SilentWhatsApp.sent < done:
            if running.done():
                raise SystemExit("the worker ended by itself")
            await asyncio.sleep(SETTLE_SECONDS)
        # What the last of them still have to write.
        await asyncio.sleep(SETTLE_SECONDS)
    begin(len(parts))
    worker.stop()
    await running
    if SilentWhatsApp.sent != done:
        raise SystemExit(f"{done} messages were answered {SilentWhatsApp.sent} times")


def make_available(people: range) -> None:
    """Let the worker find the messages of these people."""
    addresses = {"address__gte": address(people.start), "address__lt": address(people.stop)}
    InboundMessage.objects.filter(**addresses).update(available_at=timezone.now())
