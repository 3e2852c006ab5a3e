"""Staff, and who asks them."""

from typing import Any

from bot.models import AccessRequest
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BOB


def request(bot: ActiveBot, address: str = BOB, **fields: Any) -> AccessRequest:
    return AccessRequest.objects.create(bot_id=bot.id, address=address, **{"messages": 3, **fields})
