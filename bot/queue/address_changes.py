"""Follow people whose address changes: the provider says that they are named otherwise from now on."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bot.channels.base import AddressChanged
from bot.models import AccessRequest, InboundMessage, Lease, NewInbound, OutboundMessage, TakenLease
from bot.queue.access_requests import forget_requests, lock_requests
from bot.queue.snapshot import ActiveBot, forget
from users.models import User
from users.moving import Move, Moved, give_up, move_addresses, name_in_full
from users.phone import spellings

logger = logging.getLogger(__name__)


def follow(bot: ActiveBot, event: AddressChanged, now: datetime) -> bool:
    """Move a person's addresses, and their chats with them; return whether that was done. Call it in a transaction.

    Delivered again it changes nothing: meanwhile the old number may be somebody else's.
    """
    channel = bot.channel.slug
    moves = name_in_full(channel, event.moves, event.number_changed)
    if not User.objects.for_identities((channel, old) for old, _ in moves if old):
        give_up(channel, moves, event.at)
        return False
    if not InboundMessage.objects.store([_row(bot, event, moves, now)]):
        return False
    # Leases come before people, here as everywhere: who is erased at this moment and this cannot wait for each other.
    leases = _take_waiting(channel, moves, now)
    old, new = (_spelled(names) for names in zip(*moves, strict=True))
    requests = lock_requests(channel, old | new)
    moved, person = move_addresses(channel, moves, event.at)
    # Every process of this machine and the others sees it seconds later: bot/queue/snapshot.py.
    transaction.on_commit(forget)
    if person is None or moved is not Moved.MOVED:
        _leave_to_staff(bot, event.external_id, moves, moved, person)
        return False
    # A member of staff signs in to the admin with the number: they have to know that it is the new one.
    level = logging.WARNING if person.is_staff else logging.INFO
    logger.log(level, "address_moved", extra={"bot": bot.slug, "person": person.pk, "staff": person.is_staff})
    # What they asked for under the former address nobody could tell to be theirs any more.
    gone = AccessRequest.objects.filter(pk__in=requests, address__in=old - new).values_list("pk", flat=True)
    forget_requests(requests if person.is_whitelisted else list(gone))
    for move in moves:
        _move_chats(channel, move, leases)
    return True


def follow_by_hand(channel: str, old: str, new: str) -> None:
    """Let what waits under an address that staff change wait under the new one. Call it before the person is saved."""
    leases = _take_waiting(channel, [(old, new)], timezone.now())
    _move_chats(channel, (old, new), leases)


def _leave_to_staff(bot: ActiveBot, external_id: str, moves: Sequence[Move], moved: Moved, person: User | None) -> None:
    """Note a change of which it is in doubt, or not known, whom it is about: staff decide who has the addresses."""
    # Unknown: they were erased at this moment, or who has the address has it since later.
    level = logging.INFO if moved is Moved.UNKNOWN else logging.WARNING
    logger.log(level, "identity_conflict", extra={"bot": bot.slug, "outcome": moved.value})
    told = InboundMessage.objects.filter(bot_id=bot.id, external_id=external_id)
    if moved is Moved.UNKNOWN:
        told.delete()
        return
    former = [old for old, new in moves if old and old != new]
    own = _name_of(person, bot.channel.slug) if person else None
    if own:  # by which an erasure finds what was written under the former ones
        told.update(address=own, payload={"moves": [[old, own] for old in former]})
    else:
        # Nobody was called so before: whose the row is is whom the provider told it of.
        told.update(address=next(iter(former), next(old for old, _ in moves if old)), payload={})


def _name_of(person: User, channel: str) -> str | None:
    return person.phone_number or person.identities.filter(channel=channel).values_list("address", flat=True).first()


def _spelled(names: Iterable[str]) -> set[str]:
    return {spelling for name in names if name for spelling in spellings(name)}


def _row(bot: ActiveBot, event: AddressChanged, moves: Sequence[Move], now: datetime) -> NewInbound:
    return NewInbound(
        bot_id=bot.id,
        external_id=event.external_id,
        # Theirs, and with what they were called before, as long as rows of that name are kept: an erasure finds both.
        address=next((new for _, new in moves if new), next(old for old, _ in moves if old)),
        kind="address_changed",
        origin=InboundMessage.Origin.ADDRESS_CHANGE,
        payload={"moves": [[old, new] for old, new in moves]},
        state=InboundMessage.State.DONE,
        received_at=now,
        available_at=now,
    )


def _take_waiting(channel: str, moves: Iterable[Move], now: datetime) -> list[TakenLease]:
    """Take the chats in which something waits under an old address, and give them back at once.

    Until the transaction ends no worker can take them. A chat that is being worked on is left alone: its turn knows the
    person, and answers where it was asked.
    """
    chats: set[tuple[int, str]] = set()
    for old, new in moves:
        if old and new and old != new:
            chats.update(_waiting(channel, old).order_by().values_list("bot_id", "address").distinct())
    return Lease.objects.take(chats, "", now, now)


def _waiting(channel: str, address: str) -> QuerySet[InboundMessage]:
    return InboundMessage.objects.pending().filter(bot__channel=channel, address__in=spellings(address))


def _move_chats(channel: str, move: Move, leases: Iterable[TakenLease]) -> None:
    """Let what waits under the old address, in chats that were taken, wait under the new one."""
    old, new = move
    if not old or not new or old == new:
        return
    waiting = _waiting(channel, old)
    for lease in leases:
        messages = waiting.filter(bot_id=lease.bot_id, address=lease.address)
        _readdress(lease.bot_id, messages.values_list("turn_key", flat=True), new)
        messages.update(address=new)


def _readdress(bot_id: int, turn_keys: Iterable[int | None], address: str) -> None:
    """Let stored replies that have not gone out yet show where they go to."""
    keys = {key for key in turn_keys if key is not None}
    if keys:
        queued = OutboundMessage.objects.filter(bot_id=bot_id, turn_key__in=keys, status=OutboundMessage.Status.QUEUED)
        queued.update(address=address)
