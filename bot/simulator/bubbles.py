"""What the simulator shows: messages of one chat as bubbles, whichever table they come from."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import gettext as _

from bot.models import InboundMessage, OutboundMessage
from conversations.models import Message, MessageRole

State = InboundMessage.State


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as the page shows it. `key` is stable between looks; `id` is the outbox's (0: not from there).

    A document has a filename and its size in bytes, and no text: its content is fetched by its id. has_story: so is
    what happened until it was sent (a reply of several parts has one story, under the last).
    """

    key: str
    mine: bool
    at: datetime
    text: str = field(repr=False)
    id: int = 0
    turn_key: int = 0
    status: str = ""
    settled: bool = True
    problem: bool = False
    cost: str = ""
    has_story: bool = False
    filename: str = ""
    size: int = 0


def of_reply(row: OutboundMessage) -> Bubble:
    """Return one part of a reply, without what it cost."""
    return Bubble(
        key=f"out-{row.pk}",
        mine=False,
        at=row.created_at,
        text="" if row.filename else row.text,
        id=row.pk,
        turn_key=row.turn_key,
        status=row.get_status_display(),
        settled=row.status not in OutboundMessage.UNSETTLED,
        problem=row.status in OutboundMessage.PROBLEMS,
        filename=row.filename,
        size=len(row.text.encode()) if row.filename else 0,
    )


def of_unanswered(inbound: Iterable[InboundMessage]) -> list[Bubble]:
    """Return what was written and has no reply yet. With its reply a text goes to the conversation's memory."""
    return [
        Bubble(
            key=f"in-{row.external_id}",
            mine=True,
            at=row.received_at,
            text=row.payload.get("text", ""),
            status=_("could not be answered") if row.state == State.DEAD else "",
            problem=row.state == State.DEAD,
        )
        for row in inbound
        if row.turn_key is None and row.state in (State.PENDING, State.DEAD) and row.payload.get("text")
    ]


def merge(memory: Iterable[Message], replies: Iterable[Bubble]) -> list[Bubble]:
    """Return what is remembered, with what the outbox knows of it (delivery, cost), and the replies nobody remembers.

    An answer that a model was paid for and that is not remembered was cleared: it is not shown again.
    """
    turns: dict[int, list[Bubble]] = {}
    for reply in replies:
        turns.setdefault(reply.turn_key, []).append(reply)
    bubbles: list[Bubble] = []
    for message in memory:
        mine = message.role == MessageRole.USER
        if parts := [] if mine else turns.pop(message.turn_key or 0, []):
            bubbles += [replace(part, at=message.created_at) for part in parts]
        else:
            bubbles.append(Bubble(key=f"memory-{message.pk}", mine=mine, at=message.created_at, text=message.content))
    return bubbles + [part for parts in turns.values() if not parts[-1].cost for part in parts]
