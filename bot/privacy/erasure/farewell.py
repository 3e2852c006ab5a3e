"""Farewell: the last message to a person who erased themselves, whose rows are deleted once it is settled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from bot.models import InboundMessage, Lease, OutboundMessage, TakenLease
from bot.privacy.disk import empty_write_ahead_log

FAREWELL = InboundMessage.Origin.FAREWELL


@dataclass(frozen=True, slots=True)
class Farewell:
    """The turn of a farewell, and its text."""

    lease: TakenLease
    message_ids: Sequence[int]
    text: str = field(repr=False)


def delete_chat_rows(turn_keys: Iterable[int], message_ids: Iterable[int], lease_ids: Iterable[int]) -> None:
    """Delete the messages, replies and leases of settled farewells. Call it in a transaction."""
    # Lock order: the reply first, as delivery statuses lock it.
    OutboundMessage.objects.filter(turn_key__in=list(turn_keys)).delete()
    InboundMessage.objects.filter(id__in=list(message_ids)).delete()
    Lease.objects.filter(id__in=list(lease_ids)).delete()
    transaction.on_commit(empty_write_ahead_log)


def unsent_since(moment: datetime) -> QuerySet[InboundMessage]:
    """Return the farewells that have waited since before a moment, as their bot is paused or no worker runs."""
    # The previous version, which may have run beside this one, marks it by kind and id.
    said = Q(origin=FAREWELL) | Q(kind=FAREWELL, external_id__startswith=f"{FAREWELL}:")
    return InboundMessage.objects.filter(said, received_at__lt=moment)


def rows_of(ids: Sequence[int]) -> list[QuerySet[Any]]:
    """Return querysets of all rows of farewells, by the ids of their messages, in the order of deletion."""
    messages = InboundMessage.objects.filter(id__in=ids)
    chats = messages.filter(bot=OuterRef("bot"), address=OuterRef("address"))
    return [Lease.objects.filter(Exists(chats)), OutboundMessage.objects.filter(turn_key__in=ids), messages]


def turn_into_farewell(farewell: Farewell) -> None:
    """Turn the turn's messages into one farewell without personal data, which can be retried.

    Provider's ids are replaced, because WhatsApp's contain the number. The address stays until the farewell is sent.
    """
    first, *others = farewell.message_ids
    InboundMessage.objects.filter(id__in=others).delete()
    InboundMessage.objects.filter(id=first).update(
        kind=FAREWELL,
        origin=FAREWELL,
        external_id=f"{FAREWELL}:{first}",
        payload={"notice": farewell.text},
        request_id="",
        steps=None,
    )
