"""What a message says about how else its sender is named."""

import logging

from bot.pipeline.turn import Turn
from users.models import User

logger = logging.getLogger(__name__)


def remember_addresses(turn: Turn, user: User) -> None:
    """Link the other address a message of a known person carries, so that it is recognised when it comes alone."""
    for message in turn.messages:
        if message.other_address:
            try:
                User.objects.link_identity(user, turn.bot.channel.slug, message.other_address)
            except ValueError:
                # It belongs to somebody else: staff decide, the message is answered all the same.
                logger.warning("identity_conflict")
