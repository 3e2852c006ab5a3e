"""Delivery statuses: what a provider says became of messages, and the statement that moves many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """How far a part of a reply has come."""

    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    READ = "read", _("read")
    FAILED = "failed", _("failed")
    UNCERTAIN = "uncertain", _("uncertain")
    EXPIRED = "expired", _("expired")


# What a delivery status may follow. A provider's word arrives in any order, also before our own record of the send; of
# what is still queued it has nothing to say.
STATUS_MAY_FOLLOW: dict[str, tuple[str, ...]] = {
    Status.SENT: (Status.SENDING, Status.UNCERTAIN),
    Status.DELIVERED: (Status.SENDING, Status.UNCERTAIN, Status.SENT),
    Status.READ: (Status.SENDING, Status.UNCERTAIN, Status.SENT, Status.DELIVERED),
    Status.FAILED: (Status.SENDING, Status.UNCERTAIN, Status.SENT),
}
# The code of what nobody knows the end of, before why; and of what was uncertain until somebody found out.
UNCERTAIN = "UNCERTAIN"
RESOLVED = "RESOLVED"
# The error code of what the provider says has failed, without a code. So whatever went wrong has one, and an index of
# the codes finds it: one of the status would have to be written to with every delivery status.
NO_REASON = "UNKNOWN"


def code_of(error_code: str, doubt: str) -> str:
    """Return what a part's columns say as one code, for logs, the desk and the messages of its turn."""
    return error_code or (f"{UNCERTAIN}:{doubt}" if doubt not in ("", RESOLVED) else doubt)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """What a delivery status moved: the turn the message belongs to, and whether its end was unknown until now."""

    turn_key: int
    resolved: bool


# What a status is about: a bot, and our id of a message, or the provider's.
StatusKey = tuple[int, int | str]


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What a provider says of one message: its status, by our own id where it echoes one, else by its own."""

    bot_id: int
    status: str
    outbound_id: int | None
    external_id: str
    error_code: str = ""

    @property
    def key(self) -> StatusKey:
        """Return what it is found by."""
        return self.bot_id, self.external_id if self.outbound_id is None else self.outbound_id

    @property
    def names(self) -> tuple[StatusKey, ...]:
        """Return all that the message is called in it: another update may call it by one of them only."""
        external: tuple[StatusKey, ...] = ((self.bot_id, self.external_id),) if self.external_id else ()
        return external if self.outbound_id is None else (*external, (self.bot_id, self.outbound_id))


def rounds(updates: Sequence[StatusUpdate]) -> list[list[int]]:
    """Return the positions of updates that one statement can apply each: of one status, each message once, in order."""
    seen: dict[StatusKey, int] = {}
    rounds: dict[tuple[int, str, bool], list[int]] = {}
    for position, update in enumerate(updates):
        number = 1 + max((seen.get(name, 0) for name in update.names), default=0)
        seen.update(dict.fromkeys(update.names, number))
        rounds.setdefault((number, update.status, update.outbound_id is None), []).append(position)
    return [rounds[order] for order in sorted(rounds, key=lambda order: order[0])]


@cache
def tell_statement(vendor: str, status: str, echoed: bool) -> str:
    """Return the statement that moves messages to a status; its parameters: the time, once or twice, and JSON."""
    before = ", ".join(f"'{one}'" for one in STATUS_MAY_FOLLOW[status])
    # A text that arrived is not needed any more.
    text = "''" if status in (Status.DELIVERED, Status.READ) else "text"
    doubt = (
        "''" if status == Status.FAILED else f"CASE WHEN status = '{Status.UNCERTAIN}' THEN '{RESOLVED}' ELSE '' END"
    )
    reached = "" if status == Status.FAILED else f", {status}_at = %s"
    names = {"id": "bigint", "bot_id": "bigint", "external_id": "text", "error_code": "text"}
    if vendor == "postgresql":
        columns = ", ".join(f"{name} {kind}" for name, kind in names.items())
        source = f"json_to_recordset(%s::json) AS told({columns})"
    else:
        columns = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
        source = f"(SELECT {columns} FROM json_each(%s)) AS told"  # noqa: S608 (names of columns)
    mine = "bot_outboundmessage"
    # A message that has an id of the provider's is not the one that another of its ids is about. Where it is looked
    # for by that: as it stands in the index.
    known = f"{mine}.external_id = '' OR told.external_id IN ('', {mine}.external_id)"
    same = f"{mine}.external_id = told.external_id AND {mine}.external_id <> ''"
    same = f"{mine}.id = told.id AND ({known})" if echoed else same
    return f"""
        UPDATE {mine} SET status = '{status}', text = {text}, error_code = told.error_code, doubt = {doubt},
            external_id = COALESCE(NULLIF({mine}.external_id, ''), told.external_id), updated_at = %s{reached}
        FROM {source} WHERE {same} AND {mine}.bot_id = told.bot_id AND {mine}.status IN ({before})
        RETURNING {mine}.id, {mine}.bot_id, {mine}.external_id, {mine}.turn_key, {mine}.doubt
    """  # noqa: S608 (constants and placeholders)
