"""Keep out what arrives late from people who were erased, or who had an address before somebody else.

Webhooks look into a copy of the tombstones that is some seconds old at most, so that no message pays for a query; what
comes through in these seconds meets the table itself when a worker claims it.
"""

from datetime import datetime

from bot.directory import tombstones
from bot.models import InboundMessage, Lease
from bot.pipeline.turn import Turn, TurnMessage
from users.models import Tombstone
from users.tombstones import Pair, digest, given_up_digest


def was_erased(channel: str, address: str, sent_at: datetime | None) -> bool:
    """Return whether a message was written before its sender was erased. One that does not say when counts as new."""
    buried = tombstones() if sent_at else {}
    erased_at = buried.get(digest(channel, address)) if buried else None
    return bool(erased_at and sent_at and sent_at <= erased_at)


def was_given_up(channel: str, address: str, sent_at: datetime | None) -> bool:
    """Return whether a message was written by who had its address before somebody else got it."""
    known = tombstones() if sent_at else {}
    left_at = known.get(given_up_digest(channel, address)) if known else None
    return bool(left_at and sent_at and sent_at < left_at)


def without_erased(turns: list[Turn]) -> list[Turn]:
    """Delete what claimed turns have of people who were erased since, and return the turns that are left.

    Part of the transaction that claims them. One query, and only where somebody is unknown.
    """
    unknown = [(turn, message) for turn in turns if turn.user is None for message in turn.messages]
    pairs = {pair for turn, message in unknown for pair in _names(turn, message)}
    erased = Tombstone.objects.all().erased(pairs) if pairs else {}
    late: list[int] = []
    empty: list[Turn] = []
    for turn in turns:
        if turn.leaves_nothing:  # its message is older than the erasure that it brought about
            continue
        gone = [message for message in turn.messages if _is_late(turn, message, erased)]
        late += [message.id for message in gone]
        turn.messages = [message for message in turn.messages if message not in gone] or turn.messages
        if gone and gone == turn.messages:
            empty.append(turn)
    if late:
        InboundMessage.objects.filter(id__in=late).delete()
        Lease.objects.filter(id__in=[turn.lease.id for turn in empty]).delete()
    return [turn for turn in turns if turn not in empty]


def _is_late(turn: Turn, message: TurnMessage, erased: dict[Pair, datetime]) -> bool:
    names = _names(turn, message)
    if turn.user is not None:  # they were let in again: what they write now is welcome
        return any(was_erased(*name, message.sent_at) for name in names)
    sent_at = message.sent_at
    return sent_at is not None and any(name in erased and sent_at <= erased[name] for name in names)


def _names(turn: Turn, message: TurnMessage) -> list[Pair]:
    return [(turn.bot.channel.slug, address) for address in (turn.address, message.other_address) if address]
