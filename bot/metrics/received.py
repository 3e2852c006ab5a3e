"""What the items of a webhook count for."""

from collections.abc import Collection, Mapping, Sequence

from bot.managers import NewInbound, RowKey
from bot.metrics.memory import count
from bot.models import InboundMessage

QUARANTINED = InboundMessage.State.QUARANTINED


def count_received(rows: Sequence[NewInbound], new: Collection[RowKey], slugs: Mapping[int, str]) -> None:
    """Count the items of one delivery: which were stored, which were there already. slugs: of bots, by id."""
    left = set(new)
    for row in rows:
        slug = slugs[row.bot_id]
        key = row.bot_id, row.external_id
        if key not in left:
            count("messages_redelivered", bot=slug)
            continue
        left.remove(key)  # the same message twice in one delivery is stored once
        if row.state == QUARANTINED:
            count("messages_quarantined", bot=slug)
        else:
            count("messages_received", bot=slug, kind=row.kind)
