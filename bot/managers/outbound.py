"""The outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, models
from django.db.models import Case, Value, When
from django.utils import timezone

from bot.managers.sql import rows_of
from config.sql import execute, fetch, for_update, ids_value, in_ids, rows_source, rows_value, time_value

if TYPE_CHECKING:
    from bot.models import OutboundMessage  # noqa: F401 (named in the queryset's type)

# What a delivery status may follow. A provider's word arrives in any order, also before our own record of the send.
STATUS_MAY_FOLLOW: dict[str, tuple[str, ...]] = {
    "sent": ("queued", "sending", "uncertain"),
    "delivered": ("queued", "sending", "uncertain", "sent"),
    "read": ("queued", "sending", "uncertain", "sent", "delivered"),
    "failed": ("queued", "sending", "uncertain", "sent"),
}


# What a text is that reached the person's provider.
GONE_OUT = ("sent", "delivered", "read")
# Begins the error code of what nobody knows the end of, and of the parts that wait for it to be known.
UNCERTAIN = "UNCERTAIN"
# The error code of a send that was uncertain until the provider told.
RESOLVED = "RESOLVED"
# The error code of what the provider says has failed, without a code. So whatever went wrong has one, and an index of
# the codes finds it: one of the status would have to be written to with every delivery status.
NO_REASON = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class OutboundPart:
    """One stored part of a turn's reply: a text, or with a filename a document whose content is the text.

    begun: it was stored as being sent by whoever has it now, who has requested nothing yet.
    """

    id: int
    part: int
    status: str
    text: str = field(repr=False)
    filename: str = ""
    begun: bool = False


@dataclass(frozen=True, slots=True)
class StatusChange:
    """What a delivery status moved: the turn the message belongs to, and whether its end was unknown until now."""

    turn_key: int
    resolved: bool


@dataclass(frozen=True, slots=True)
class SendRecord:
    """What we know of one send: sent (with the provider's id), failed, uncertain or expired."""

    outbound_id: int
    status: str
    external_id: str = ""
    error_code: str = ""


class OutboundMessageQuerySet(models.QuerySet["OutboundMessage"]):
    """The outbox."""

    def apply_status(
        self, bot_ids: Sequence[int], status: str, *, outbound_id: int | None, external_id: str, error_code: str
    ) -> StatusChange | None:
        """Move one message forward to what the provider says became of it; None when unknown or already further.

        It is found by our own id where the provider echoes one, else by the provider's. An echoed id counts only within
        the bots the webhook was signed for. One statement: statuses are the most frequent webhooks.
        """
        before = STATUS_MAY_FOLLOW[status]
        # A text that arrived is not needed any more.
        text = "''" if status in ("delivered", "read") else "text"
        code = f"CASE WHEN status = 'uncertain' THEN '{RESOLVED}' ELSE %s END" if status in GONE_OUT else "%s"
        now = time_value(timezone.now())
        reached = f", {status}_at = %s" if status in GONE_OUT else ""
        statement = f"""
            UPDATE bot_outboundmessage SET status = %s, text = {text}, error_code = {code},
                external_id = COALESCE(NULLIF(external_id, ''), %s), updated_at = %s{reached}
            WHERE {"external_id" if outbound_id is None else "id"} = %s
                AND bot_id IN ({rows_of(len(bot_ids), "%s")})
                AND status IN ({rows_of(len(before), "%s")})
            RETURNING turn_key, error_code
        """  # noqa: S608 (constants and placeholders)
        found = external_id if outbound_id is None else outbound_id
        times = [now, now] if reached else [now]
        if status == "failed":
            error_code = error_code or NO_REASON
        parameters = [status, error_code, external_id, *times, found, *bot_ids, *before]
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            changed = cursor.fetchall()
        return StatusChange(changed[0][0], resolved=changed[0][1] == RESOLVED) if changed else None

    def parts_of(self, turn_keys: Iterable[int]) -> dict[int, list[OutboundPart]]:
        """Return the stored parts of turns that have any, in their order."""
        stored: dict[int, list[OutboundPart]] = {}
        if not (turn_keys := list(turn_keys)):
            return stored
        statement = f"""
            SELECT turn_key, id, part, status, text, filename FROM bot_outboundmessage
            WHERE turn_key {in_ids()} ORDER BY turn_key, part
        """  # noqa: S608 (only placeholders are put in)
        for row in fetch(statement, [ids_value(turn_keys)]):
            stored.setdefault(row[0], []).append(OutboundPart(*row[1:]))
        return stored

    def begin_sending(self, ids: Iterable[int]) -> set[int]:
        """Mark messages as being sent, before the request goes out; return which of them may be: not settled ones."""
        ids, open_ones = sorted(ids), "status IN ('queued', 'sending')"
        if not ids:
            return set()
        lock = f"SELECT id FROM bot_outboundmessage WHERE id {in_ids()} AND {open_ones} ORDER BY id {for_update()}"  # noqa: S608
        unsent = {id for (id,) in fetch(lock, [ids_value(ids)])}
        statement = f"""
            UPDATE bot_outboundmessage SET status = 'sending', attempts = attempts + 1, updated_at = %s, sending_at = %s
            WHERE id {in_ids()}
        """  # noqa: S608 (only placeholders are put in)
        now = time_value(timezone.now())
        execute(statement, [now, now, ids_value(unsent)])
        return unsent

    def unbegin(self, turn_keys: Iterable[int]) -> int:
        """Queue again what was stored as being sent, of turns that have requested nothing."""
        if not (turn_keys := list(turn_keys)):
            return 0
        statement = f"""
            UPDATE bot_outboundmessage SET status = 'queued', attempts = attempts - 1, updated_at = %s
            WHERE turn_key {in_ids()} AND status = 'sending'
        """  # noqa: S608 (only placeholders are put in)
        return execute(statement, [time_value(timezone.now()), ids_value(turn_keys)])

    def requeue(self, outbound_id: int, error_code: str) -> int:
        """Put a message back that the provider certainly did not take."""
        return self.filter(id=outbound_id, status="sending").update(
            status="queued", error_code=error_code, updated_at=timezone.now()
        )

    def record(self, sends: Sequence[SendRecord]) -> None:
        """Record our own view of sends, in one statement.

        A status webhook may have been faster and have said more; then only the provider's id is added.
        """
        if not sends:
            return
        columns = {"id": "bigint", "status": "text", "error_code": "text", "external_id": "text"}
        unsettled = "bot_outboundmessage.status IN ('queued', 'sending')"
        statement = f"""
            UPDATE bot_outboundmessage SET
                status = CASE WHEN {unsettled} THEN send.status ELSE bot_outboundmessage.status END,
                error_code = CASE WHEN {unsettled} THEN send.error_code ELSE bot_outboundmessage.error_code END,
                external_id = COALESCE(NULLIF(bot_outboundmessage.external_id, ''), send.external_id),
                sent_at = CASE WHEN send.status = 'sent' THEN COALESCE(bot_outboundmessage.sent_at, %s)
                    ELSE bot_outboundmessage.sent_at END,
                updated_at = %s
            FROM {rows_source("send", columns)} WHERE bot_outboundmessage.id = send.id
        """  # noqa: S608 (only placeholders are put in)
        now = time_value(timezone.now())
        rows = (
            {"id": one.outbound_id, "status": one.status, "error_code": one.error_code, "external_id": one.external_id}
            for one in sends
        )
        execute(statement, [now, now, rows_value(rows)])

    def put_back(self, turn_key: int, *, code: str = "", since: datetime | None = None) -> int:
        """Queue the failed parts of a turn again that still have their text.

        code: only those whose error code begins so; since: only those that failed after it.
        """
        failed = self.filter(turn_key=turn_key, status="failed", error_code__startswith=code).exclude(text="")
        if since is not None:
            failed = failed.filter(updated_at__gte=since)
        return failed.update(status="queued", error_code="", updated_at=timezone.now())

    def abandon(self, turn_key: int, error_code: str) -> int:
        """End the parts of a turn that is over: never sent ones have failed, one that was being sent is uncertain."""
        return self.filter(turn_key=turn_key, status__in=("queued", "sending")).update(
            status=Case(When(status="sending", then=Value("uncertain")), default=Value("failed")),
            error_code=error_code,
            updated_at=timezone.now(),
        )
