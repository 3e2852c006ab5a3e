"""The subject of commands about held data: their sender."""

from bot.pipeline.turn import Turn
from bot.privacy.subjects import Subject, subject_of, subject_of_address


def writer_of(turn: Turn) -> Subject:
    """Return the sender with every address of their message, except one that is somebody else's."""
    others = [message.other_address for message in turn.messages if message.other_address]
    named = [subject_of_address(turn.bot.channel.slug, address) for address in (turn.address, *others)]
    addresses = [one.addresses for one in named if one.person in (None, turn.user)]
    own = subject_of(turn.user).addresses if turn.user else frozenset()
    return Subject(turn.user, own.union(*addresses))
