"""The outbox: parts of replies, stored before they are sent, and every statement that moves them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, models
from django.db.models import Case, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.models.bots import Bot
from bot.models.columns import ADDRESS_LENGTH, EXTERNAL_ID_LENGTH, FILENAME_LENGTH
from bot.models.statuses import (
    NO_REASON,
    RESOLVED,
    Status,
    StatusChange,
    StatusKey,
    StatusUpdate,
    code_of,
    rounds,
    tell_statement,
)
from config.db.sql import execute, fetch, for_update, ids_value, in_ids, rows_source, rows_value, time_value


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
class SendRecord:
    """What we know of one send: sent (with the provider's id), failed, uncertain (and why: doubt) or expired."""

    outbound_id: int
    status: str
    external_id: str = ""
    error_code: str = ""
    doubt: str = ""


class OutboundMessageQuerySet(models.QuerySet["OutboundMessage"]):
    """The outbox."""

    def apply_statuses(self, updates: Sequence[StatusUpdate]) -> list[StatusChange | None]:
        """Move messages forward to what the provider says became of them; None for each unknown or already further.

        They are found by our own id where the provider echoes one, else by the provider's; either counts only within
        the bot the webhook was signed for, and ours only for a message that has no other id of the provider's. One
        statement for all of one status: they are the most frequent webhooks. Call it in a transaction. Of several
        statuses of one message each is applied after those before it.
        """
        changes: list[StatusChange | None] = [None] * len(updates)
        if len(updates) > 1:
            self._lock_in_order(updates)
        for statement in rounds(updates):
            status, echoed = updates[statement[0]].status, updates[statement[0]].outbound_id is not None
            found = self._tell(status, echoed, [updates[position] for position in statement])
            for position in statement:
                changes[position] = found.get(updates[position].key)
        return changes

    def _lock_in_order(self, updates: Sequence[StatusUpdate]) -> None:
        """Lock the messages by their ids (lock order): workers and other web processes write to several at once."""
        own = Q(id__in=[one.outbound_id for one in updates if one.outbound_id is not None])
        external = [one.external_id for one in updates if one.outbound_id is None]
        theirs = Q(bot_id__in={one.bot_id for one in updates}, external_id__in=external) & ~Q(external_id="")
        list(self.select_for_update().filter(own | theirs if external else own).order_by("id").values_list("id"))

    def _tell(self, status: str, echoed: bool, updates: Sequence[StatusUpdate]) -> dict[StatusKey, StatusChange]:
        content = json.dumps(
            [
                {
                    "id": one.outbound_id, "bot_id": one.bot_id, "external_id": one.external_id,
                    "error_code": one.error_code or (NO_REASON if status == Status.FAILED else ""),
                }
                for one in updates
            ]
        )  # fmt: skip
        now = time_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(
                tell_statement(connection.vendor, status, echoed),
                [*([now] if status == Status.FAILED else [now, now]), content],
            )
            rows = cursor.fetchall()
        return {
            (bot_id, id if echoed else external_id): StatusChange(turn_key, resolved=doubt == RESOLVED)
            for id, bot_id, external_id, turn_key, doubt in rows
        }

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

    def undo_attempt(self, turn_keys: Iterable[int]) -> int:
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
        return self.filter(id=outbound_id, status=Status.SENDING).update(
            status=Status.QUEUED, error_code=error_code, updated_at=timezone.now()
        )

    def record(self, sends: Sequence[SendRecord]) -> None:
        """Record our own view of sends, in one statement.

        A status webhook may have been faster and have said more; then only the provider's id is added. Lock order: by
        id, as web processes lock the messages that statuses tell of.
        """
        if not sends:
            return
        columns = {"id": "bigint", "status": "text", "error_code": "text", "doubt": "text", "external_id": "text"}
        unsettled = "bot_outboundmessage.status IN ('queued', 'sending')"
        statement = f"""
            UPDATE bot_outboundmessage SET
                status = CASE WHEN {unsettled} THEN send.status ELSE bot_outboundmessage.status END,
                error_code = CASE WHEN {unsettled} THEN send.error_code ELSE bot_outboundmessage.error_code END,
                doubt = CASE WHEN {unsettled} THEN send.doubt ELSE bot_outboundmessage.doubt END,
                external_id = COALESCE(NULLIF(bot_outboundmessage.external_id, ''), send.external_id),
                sent_at = CASE WHEN send.status = 'sent' THEN COALESCE(bot_outboundmessage.sent_at, %s)
                    ELSE bot_outboundmessage.sent_at END,
                updated_at = %s
            FROM (
                SELECT send.* FROM {rows_source("send", columns)} JOIN bot_outboundmessage AS own ON own.id = send.id
                ORDER BY own.id {for_update("OF own")}
            ) AS send WHERE bot_outboundmessage.id = send.id
        """  # noqa: S608 (only placeholders are put in)
        now = time_value(timezone.now())
        rows = (
            {
                "id": one.outbound_id,
                "status": one.status,
                "error_code": one.error_code,
                "doubt": one.doubt,
                "external_id": one.external_id,
            }
            for one in sends
        )
        execute(statement, [now, now, rows_value(rows)])

    def requeue_failed(self, turn_key: int, *, held_back: bool = False, since: datetime | None = None) -> int:
        """Queue the failed parts of a turn again that still have their text.

        held_back: only those behind one that was uncertain; since: only those that failed after it.
        """
        failed = self.filter(turn_key=turn_key, status=Status.FAILED).exclude(text="")
        if held_back:
            failed = failed.exclude(doubt="")
        if since is not None:
            failed = failed.filter(updated_at__gte=since)
        # The provider will call it otherwise when it is sent again.
        return failed.update(status=Status.QUEUED, error_code="", doubt="", external_id="", updated_at=timezone.now())

    def abandon(self, turn_key: int, error_code: str, doubt: str = "") -> int:
        """End the parts of a turn that is over: never sent ones have failed, one that was being sent is uncertain."""
        return self.filter(turn_key=turn_key, status__in=self.model.UNSETTLED).update(
            status=Case(When(status=Status.SENDING, then=Value(Status.UNCERTAIN)), default=Value(Status.FAILED)),
            error_code=error_code,
            doubt=doubt,
            updated_at=timezone.now(),
        )


class OutboundMessage(models.Model):
    """One part of a reply, stored before it is sent."""

    Status = Status
    # Its end is not known yet; it reached the person's provider; staff have to know of it, or can decide about it.
    UNSETTLED = (Status.QUEUED, Status.SENDING)
    GONE_OUT = (Status.SENT, Status.DELIVERED, Status.READ)
    PROBLEMS = (Status.FAILED, Status.UNCERTAIN, Status.EXPIRED)
    SENDABLE_AGAIN = (Status.UNCERTAIN, Status.FAILED)

    bot = models.ForeignKey(Bot, models.CASCADE, db_constraint=False, db_index=False, related_name="outbound_messages")
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    turn_key = models.BigIntegerField(_("turn key"))
    part = models.PositiveSmallIntegerField(_("part"))
    text = models.TextField(_("text"), blank=True)
    # What makes it a document: the text is then the document's content.
    filename = models.CharField(_("file name"), max_length=FILENAME_LENGTH, blank=True, default="", db_default="")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    external_id = models.CharField(_("external id"), max_length=EXTERNAL_ID_LENGTH, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    # Why nobody knows its end, or that of the part which it was held back for; RESOLVED: it was found out.
    doubt = models.CharField(_("doubt"), max_length=90, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)
    sending_at = models.DateTimeField(_("sending"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    objects = OutboundMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("outbound message")
        verbose_name_plural = _("outbound messages")
        constraints = [models.UniqueConstraint(fields=["turn_key", "part"], name="outbound_once")]
        indexes = [
            models.Index(fields=["bot", "external_id"], name="outbound_external", condition=~Q(external_id="")),
            # For the desk: a chat's or a bot's messages; and what went wrong. No index of the status, which every
            # delivery status changes: while its indexed columns stay, a row is updated without touching an index.
            models.Index(fields=["bot", "address", "id"], name="outbound_of_chat"),
            models.Index(fields=["id"], name="outbound_problems", condition=~Q(error_code="", doubt="")),
        ]

    def __str__(self) -> str:
        return f"{self.turn_key}/{self.part} ({self.status})"

    @property
    def code(self) -> str:
        """What went wrong, as one code."""
        return code_of(self.error_code, self.doubt)

    def settle_by_hand(self, status: str, doubt: str = "") -> None:
        """Write what staff know or decide of a message whose row is locked."""
        self.status, self.error_code, self.doubt, self.updated_at = status, "", doubt, timezone.now()
        if status == Status.QUEUED:
            self.external_id = ""  # the provider will call it otherwise when it is sent again
        self.save(update_fields=["status", "error_code", "doubt", "external_id", "updated_at"])
