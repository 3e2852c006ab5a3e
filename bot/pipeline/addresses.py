"""Linking of the second address of a message to its sender."""

import logging

from django.utils import timezone

from bot.pipeline.turn import Turn
from users.addresses import know_by
from users.models import Identity, User

logger = logging.getLogger(__name__)


def remember_addresses(turn: Turn, user: User) -> None:
    """Link the second address of a known person's message, so that it identifies them when it comes alone."""
    channel = turn.bot.channel.slug
    for message in turn.messages:
        if message.other_address:
            try:
                if know_by(user, channel, message.other_address) and message.sent_at:
                    # Compare by the provider's clock, like its announcements of address changes.
                    known = Identity.objects.filter(channel=channel, address=message.other_address)
                    known.update(created_at=min(message.sent_at, timezone.now()))
            except ValueError:
                # It belongs to somebody else: staff decide; the message is answered all the same.
                logger.warning("identity_conflict")
