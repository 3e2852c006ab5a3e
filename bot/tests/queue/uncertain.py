"""Messages whose end nobody knows."""

from bot.channels.events import StatusEvent
from bot.models import OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot


def told(bot: ActiveBot, message: OutboundMessage, status: str, external_id: str = "wamid.9") -> None:
    accept.accept(bot, [StatusEvent(external_id, status, outbound_id=message.pk)])
