"""Ask for what is held, and count what the provider was sent."""

import json
from typing import Any

from bot.models import InboundMessage
from bot.pipeline.commands import export
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import STRANGER, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until


def say(bot: ActiveBot, *texts: str, address: str = STRANGER, **fields: Any) -> None:
    """Let somebody write texts to one worker, which counts their tries."""
    number = InboundMessage.objects.count()
    events = [event(f"said-{number}-{n}", text=text, address=address, **fields) for n, text in enumerate(texts)]
    accept.accept(bot, events)
    work_until(model=ScriptedModel())


def files(channel: ScriptedChannel) -> dict[str, str]:
    return {message.filename: message.text for message in channel.sent if message.filename}


def exported(channel: ScriptedChannel) -> dict[str, Any]:
    return dict(json.loads(files(channel)[export.JSON_FILE]))
