"""What came in must come out: a worker over what was stored, a WhatsApp that takes everything, and what is left."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import aiohttp
from django.db.models import Count

from bot.ai.demo import DemoModel
from bot.channels.connection import Account
from bot.channels.sending import OutboundText
from bot.channels.whatsapp import WhatsAppChannel
from bot.models import InboundMessage, Lease, OutboundMessage
from bot.tests.support.factories import WhatsAppBotFactory, whitelisted
from bot.tests.support.fakes import nothing_pending, work_until
from bot.tests.system.fuzzing.payloads import NUMBERS, PHONE_NUMBER_ID, sent_id
from bot.worker.worker import Worker

SLUG = "fuzz"
PATH = f"/webhooks/whatsapp/{SLUG}/"
# What a worker says when it could not do its work; a row that causes one of them would cause it again.
ALARMS = ("turn_crashed", "turn_given_up", "turn_left_to_lease", "claim_failed", "heartbeat_failed", "batch_split")


def cast() -> Any:
    """Create the bot, and people of whom most may talk to it."""
    for number in NUMBERS[:30]:
        whitelisted(f"+{number}")
    return WhatsAppBotFactory.create(slug=SLUG, account_id=PHONE_NUMBER_ID)


@contextmanager
def whatsapp_takes_everything() -> Iterator[None]:
    """Replace every send by an id."""

    async def send(self: Any, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        return sent_id(message.id)

    async def show_typing(self: Any, client: aiohttp.ClientSession, account: Account, external_id: str) -> None:
        return None

    with patch.object(WhatsAppChannel, "send", send), patch.object(WhatsAppChannel, "show_typing", show_typing):
        yield


class Alarms(logging.Handler):
    """Counts the alarms that are logged while it listens."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count an alarm."""
        if record.msg in ALARMS:
            self.heard[record.msg] += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to the worker."""
        logger = logging.getLogger("bot")
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)


def answer_everything(seconds: float) -> Counter[str]:
    """Run a worker until nothing is pending, for so long at most, and return the alarms it gave."""
    alarms = Alarms()
    worker = Worker(50, model_factory=DemoModel)
    with whatsapp_takes_everything(), alarms.listening():
        try:
            work_until(nothing_pending, worker=worker, seconds=seconds)
        except AssertionError:
            alarms.heard["rows_left_pending"] += 1
    return alarms.heard


def stuck() -> list[str]:
    """Return what did not come to its end: pending rows, leases that are held, parts that were never sent."""
    return [
        *(f"pending: {row.pk} {row.kind} {row.address!r} {row.payload!r}" for row in InboundMessage.objects.pending()),
        *(f"held: lease {lease.pk} of {lease.worker}" for lease in Lease.objects.exclude(worker="")),
        *(
            f"unsent: {part.pk} {part.status}"
            for part in OutboundMessage.objects.filter(status__in=("queued", "sending"))
        ),
    ]


def states() -> dict[str, int]:
    """Return how many rows there are of each state."""
    inbound = InboundMessage.objects.values_list("state").annotate(Count("pk")).order_by("state")
    outbound = OutboundMessage.objects.values_list("status").annotate(Count("pk")).order_by("status")
    return {f"inbound {state}": count for state, count in inbound} | {
        f"outbound {name}": count for name, count in outbound
    }
