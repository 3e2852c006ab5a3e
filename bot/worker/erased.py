"""Drop late messages of erased people, and of former holders of an address, when their turns are claimed.

Webhooks check a cached snapshot of the tombstones, to save each message a query; messages that pass while the cache is
stale are checked here against the table.
"""

from datetime import datetime

from bot.channels.registry import CHANNELS
from bot.models import InboundMessage, Lease
from bot.pipeline.turn import Turn
from bot.queue.snapshot import tombstones
from bot.queue.turn_message import TurnMessage
from users.models import Pair, Tombstone
from users.models.tombstones import given_up_digest, was_erased


def has_changed_hands(address: str) -> bool:
    """Return whether somebody has given an address up, on any channel, according to the snapshot."""
    known = tombstones()
    return any(given_up_digest(channel, address) in known for channel in CHANNELS)


def without_erased(turns: list[Turn]) -> list[Turn]:
    """Delete messages of erased people and of former holders of an address; return the turns that are left.

    Part of the transaction that claims them. At most two queries, only if a sender is unknown or new to the address.
    """
    unknown = [(turn, message) for turn in turns if turn.user is None for message in turn.messages]
    pairs = {pair for turn, message in unknown for pair in _names(turn, message)}
    erased = Tombstone.objects.erased(pairs) if pairs else {}
    former = {message.id for _, message in _of_former_holders(turns)}
    late: list[int] = []
    empty: list[Turn] = []
    for turn in turns:
        if turn.is_farewell:  # its message is older than the erasure it announces
            continue
        gone = [message for message in turn.messages if message.id in former or _is_late(turn, message, erased)]
        late += [message.id for message in gone]
        turn.messages = [message for message in turn.messages if message not in gone] or turn.messages
        if gone and gone == turn.messages:
            empty.append(turn)
    if late:
        InboundMessage.objects.filter(id__in=late).delete()
        Lease.objects.filter(id__in=[turn.lease.id for turn in empty]).delete()
    return [turn for turn in turns if turn not in empty]


def _of_former_holders(turns: list[Turn]) -> list[tuple[Turn, TurnMessage]]:
    """Return the unanswered messages that a former holder of the address wrote.

    Excluded are messages with a second address that identifies the sender, notices, and turns with a stored reply. One
    query, only if the address may have changed hands since.
    """
    waiting = [
        (turn, message)
        for turn in turns
        for message in turn.messages
        if not (turn.parts or message.notice or (message.other_address and turn.other_address_known))
        and _may_have_changed_hands(turn, message)
    ]
    left = Tombstone.objects.given_up((turn.bot.channel.slug, turn.address) for turn, _ in waiting)
    return [
        (turn, message)
        for turn, message in waiting
        if (left_at := left.get((turn.bot.channel.slug, turn.address))) and _written_at(message, left_at) < left_at
    ]


def _may_have_changed_hands(turn: Turn, message: TurnMessage) -> bool:
    known = tombstones()
    if turn.user is None or (known and given_up_digest(turn.bot.channel.slug, turn.address) in known):
        return True
    # The snapshot is stale for some seconds; the time since which the person has the number is current.
    since = max(turn.user.numbered_at or turn.user.created_at, turn.user.created_at)
    return _written_at(message, since) < since


def _written_at(message: TurnMessage, otherwise: datetime) -> datetime:
    return min((at for at in (message.sent_at, message.received_at) if at), default=otherwise)


def _is_late(turn: Turn, message: TurnMessage, erased: dict[Pair, datetime]) -> bool:
    names = _names(turn, message)
    if turn.user is not None:  # they were let in again
        return any(was_erased(tombstones(), *name, message.sent_at) for name in names)
    sent_at = message.sent_at
    return sent_at is not None and any(name in erased and sent_at <= erased[name] for name in names)


def _names(turn: Turn, message: TurnMessage) -> list[Pair]:
    return [(turn.bot.channel.slug, address) for address in (turn.address, message.other_address) if address]
