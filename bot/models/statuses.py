"""Delivery statuses from providers, and the statement that applies many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """Status of one part of a reply."""

    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    READ = "read", _("read")
    FAILED = "failed", _("failed")
    UNCERTAIN = "uncertain", _("uncertain")
    EXPIRED = "expired", _("expired")


# Transitions by delivery status. Statuses arrive in any order, also before our own record of the send; a queued message
# cannot have one.
STATUS_MAY_FOLLOW: dict[str, tuple[str, ...]] = {
    Status.SENT: (Status.SENDING, Status.UNCERTAIN),
    Status.DELIVERED: (Status.SENDING, Status.UNCERTAIN, Status.SENT),
    Status.READ: (Status.SENDING, Status.UNCERTAIN, Status.SENT, Status.DELIVERED),
    Status.FAILED: (Status.SENDING, Status.UNCERTAIN, Status.SENT),
}
# The code of an uncertain part, before its doubt; and the doubt of one that was resolved.
UNCERTAIN = "UNCERTAIN"
RESOLVED = "RESOLVED"
# The error code of a failure that the provider gives none for. So every problem has one and is found by an index on
# codes; an index on the status would be written to with every delivery status.
NO_REASON = "UNKNOWN"


def code_of(error_code: str, doubt: str) -> str:
    """Return a part's error code and doubt as one code, for logs, the desk and the messages of its turn."""
    return error_code or (f"{UNCERTAIN}:{doubt}" if doubt not in ("", RESOLVED) else doubt)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """An applied delivery status: the message's turn, and whether the message was uncertain until now."""

    turn_key: int
    resolved: bool


# A bot's id, and our id of a message or the provider's.
StatusKey = tuple[int, int | str]


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """A delivery status of one message, named by our own id if the provider echoes it, else by the provider's."""

    bot_id: int
    status: str
    outbound_id: int | None
    external_id: str
    error_code: str = ""

    @property
    def key(self) -> StatusKey:
        """Return the key it is found by."""
        return self.bot_id, self.external_id if self.outbound_id is None else self.outbound_id

    @property
    def names(self) -> tuple[StatusKey, ...]:
        """Return all keys of the message in it; another update of the message may have only one of them."""
        external: tuple[StatusKey, ...] = ((self.bot_id, self.external_id),) if self.external_id else ()
        return external if self.outbound_id is None else (*external, (self.bot_id, self.outbound_id))


def rounds(updates: Sequence[StatusUpdate]) -> list[list[int]]:
    """Group updates, by position, so that each group has one status and each message once; groups are in order."""
    seen: dict[StatusKey, int] = {}
    rounds: dict[tuple[int, str, bool], list[int]] = {}
    for position, update in enumerate(updates):
        number = 1 + max((seen.get(name, 0) for name in update.names), default=0)
        seen.update(dict.fromkeys(update.names, number))
        rounds.setdefault((number, update.status, update.outbound_id is None), []).append(position)
    return [rounds[order] for order in sorted(rounds, key=lambda order: order[0])]


@cache
def tell_statement(vendor: str, status: str, echoed: bool) -> str:
    """Return the statement that sets messages to a status; its parameters: the time, once or twice, and JSON."""
    before = ", ".join(f"'{one}'" for one in STATUS_MAY_FOLLOW[status])
    # The text of a delivered message is no longer needed.
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
    # A message with one provider's id does not match another. A lookup by provider's id must match the partial index
    # literally.
    known = f"{mine}.external_id = '' OR told.external_id IN ('', {mine}.external_id)"
    same = f"{mine}.external_id = told.external_id AND {mine}.external_id <> ''"
    same = f"{mine}.id = told.id AND ({known})" if echoed else same
    return f"""
        UPDATE {mine} SET status = '{status}', text = {text}, error_code = told.error_code, doubt = {doubt},
            external_id = COALESCE(NULLIF({mine}.external_id, ''), told.external_id), updated_at = %s{reached}
        FROM {source} WHERE {same} AND {mine}.bot_id = told.bot_id AND {mine}.status IN ({before})
        RETURNING {mine}.id, {mine}.bot_id, {mine}.external_id, {mine}.turn_key, {mine}.doubt
    """  # noqa: S608 (constants and placeholders)
