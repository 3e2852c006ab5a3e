"""Ask for what is held, and count what the provider was sent."""

from typing import Any

from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import STRANGER, event
from bot.tests.support.fakes import ScriptedModel, work_until


def say(bot: ActiveBot, *texts: str, address: str = STRANGER, **fields: Any) -> None:
    """Let somebody write texts to one worker, which counts their tries."""
    number = InboundMessage.objects.count()
    events = [event(f"said-{number}-{n}", text=text, address=address, **fields) for n, text in enumerate(texts)]
    accept.accept(bot, events)
    work_until(model=ScriptedModel())
