"""Whom a command in a chat is about that asks for what is held: whoever wrote it."""

from bot.pipeline.turn import Turn
from bot.privacy.subjects import Subject, subject_of, subject_of_address


def writer_of(turn: Turn) -> Subject:
    """Return who writes, by every address that their message carries; not by one that is somebody else's."""
    others = [message.other_address for message in turn.messages if message.other_address]
    named = [subject_of_address(turn.bot.channel.slug, address) for address in (turn.address, *others)]
    addresses = [one.addresses for one in named if one.person in (None, turn.user)]
    own = subject_of(turn.user).addresses if turn.user else frozenset()
    return Subject(turn.user, own.union(*addresses))
