"""Address changes: move a person's addresses, chats and queued replies when a provider announces a new address."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bot.channels.events import AddressChanged
from bot.models import AccessRequest, InboundMessage, Lease, NewInbound, OutboundMessage, TakenLease
from bot.queue.access_requests import forget_requests, lock_requests
from bot.queue.snapshot import ActiveBot, forget
from users.models import User
from users.moving import Move, Moved, give_up, move_addresses, name_in_full
from users.phone import spellings

logger = logging.getLogger(__name__)


def follow(bot: ActiveBot, event: AddressChanged, now: datetime) -> bool:
    """Move a person's addresses and waiting chats; return whether that was done. Call it in a transaction.

    Idempotent: a redelivery changes nothing, because the old number may be somebody else's by then.
    """
    channel = bot.channel.slug
    moves = name_in_full(channel, event.moves, event.number_changed)
    if not User.objects.for_identities((channel, old) for old, _ in moves if old):
        give_up(channel, moves, event.at)
        return False
    if not InboundMessage.objects.store([_row(bot, event, moves, now)]):
        return False
    # Lock order: leases before people, so that this cannot deadlock with an erasure of the same person.
    leases = _take_waiting(channel, moves, now)
    old, new = (_spelled(names) for names in zip(*moves, strict=True))
    requests = lock_requests(channel, old | new)
    moved, person = move_addresses(channel, moves, event.at)
    # Other processes see it once their snapshot expires, seconds later.
    transaction.on_commit(forget)
    if person is None or moved is not Moved.MOVED:
        _leave_to_staff(bot, event.external_id, moves, moved, person)
        return False
    # Staff sign in to the admin with their number: the operator has to notice that it changed.
    level = logging.WARNING if person.is_staff else logging.INFO
    logger.log(level, "address_moved", extra={"bot": bot.slug, "person": person.pk, "staff": person.is_staff})
    # Requests under the former address could no longer be attributed to this person.
    gone = AccessRequest.objects.filter(pk__in=requests, address__in=old - new).values_list("pk", flat=True)
    forget_requests(requests if person.is_whitelisted else list(gone))
    for move in moves:
        _move_chats(channel, move, leases)
    return True


def follow_by_hand(channel: str, old: str, new: str) -> None:
    """Move pending messages to the new address when staff change one. Call it before the person is saved."""
    leases = _take_waiting(channel, [(old, new)], timezone.now())
    _move_chats(channel, (old, new), leases)


def _leave_to_staff(bot: ActiveBot, external_id: str, moves: Sequence[Move], moved: Moved, person: User | None) -> None:
    """Record a change that cannot be attributed to one person, for staff to decide who has the addresses."""
    # UNKNOWN: the person was erased concurrently, or the present holder got the address after the change.
    level = logging.INFO if moved is Moved.UNKNOWN else logging.WARNING
    logger.log(level, "identity_conflict", extra={"bot": bot.slug, "outcome": moved.value})
    told = InboundMessage.objects.filter(bot_id=bot.id, external_id=external_id)
    if moved is Moved.UNKNOWN:
        told.delete()
        return
    former = [old for old, new in moves if old and old != new]
    own = _name_of(person, bot.channel.slug) if person else None
    if own:  # an erasure finds messages under the former addresses by it
        told.update(address=own, payload={"moves": [[old, own] for old in former]})
    else:
        # Nobody had these addresses: the row belongs to the person the provider named.
        told.update(address=next(iter(former), next(old for old, _ in moves if old)), payload={})


def _name_of(person: User, channel: str) -> str | None:
    return person.phone_number or person.identities.filter(channel=channel).values_list("address", flat=True).first()


def _spelled(names: Iterable[str]) -> set[str]:
    return {spelling for name in names if name for spelling in spellings(name)}


def _row(bot: ActiveBot, event: AddressChanged, moves: Sequence[Move], now: datetime) -> NewInbound:
    return NewInbound(
        bot_id=bot.id,
        external_id=event.external_id,
        # Their new address, with the former ones in the payload: an erasure finds rows of both.
        address=next((new for _, new in moves if new), next(old for old, _ in moves if old)),
        kind="address_changed",
        origin=InboundMessage.Origin.ADDRESS_CHANGE,
        payload={"moves": [[old, new] for old, new in moves]},
        state=InboundMessage.State.DONE,
        received_at=now,
        available_at=now,
    )


def _take_waiting(channel: str, moves: Iterable[Move], now: datetime) -> list[TakenLease]:
    """Lease the chats with pending messages under an old address; the leases expire at once.

    Until the transaction ends no worker can take them. A chat with a running turn is left alone: the turn knows the
    person, and answers to the address that asked.
    """
    chats: set[tuple[int, str]] = set()
    for old, new in moves:
        if old and new and old != new:
            chats.update(_waiting(channel, old).order_by().values_list("bot_id", "address").distinct())
    return Lease.objects.take(chats, "", now, now)


def _waiting(channel: str, address: str) -> QuerySet[InboundMessage]:
    return InboundMessage.objects.pending().filter(bot__channel=channel, address__in=spellings(address))


def _move_chats(channel: str, move: Move, leases: Iterable[TakenLease]) -> None:
    """Move pending messages of the leased chats from the old address to the new one."""
    old, new = move
    if not old or not new or old == new:
        return
    waiting = _waiting(channel, old)
    for lease in leases:
        messages = waiting.filter(bot_id=lease.bot_id, address=lease.address)
        _readdress(lease.bot_id, messages.values_list("turn_key", flat=True), new)
        messages.update(address=new)


def _readdress(bot_id: int, turn_keys: Iterable[int | None], address: str) -> None:
    """Set the address of queued replies, which staff are shown, to where they will be sent."""
    keys = {key for key in turn_keys if key is not None}
    if keys:
        queued = OutboundMessage.objects.filter(bot_id=bot_id, turn_key__in=keys, status=OutboundMessage.Status.QUEUED)
        queued.update(address=address)
