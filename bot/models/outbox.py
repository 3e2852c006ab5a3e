"""The outbox: parts of replies, stored before they are sent, and every statement that changes them."""

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

    begun: its present worker stored it as being sent, and has not requested the send yet.
    """

    id: int
    part: int
    status: str
    text: str = field(repr=False)
    filename: str = ""
    begun: bool = False


@dataclass(frozen=True, slots=True)
class SendRecord:
    """The result of one send: sent (with the provider's id), failed, uncertain (with the doubt) or expired."""

    outbound_id: int
    status: str
    external_id: str = ""
    error_code: str = ""
    doubt: str = ""


class OutboundMessageQuerySet(models.QuerySet["OutboundMessage"]):
    """The outbox."""

    def apply_statuses(self, updates: Sequence[StatusUpdate]) -> list[StatusChange | None]:
        """Apply delivery statuses; return the change of each, None if its message is unknown or already further.

        Messages are found by our own id if the provider echoes it, else by the provider's; either only within the bot
        the webhook was signed for, and ours only for a message without another provider's id. One statement per status,
        because these are the most frequent webhooks. Call it in a transaction. Several statuses of one message are
        applied in order.
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
        """Lock the messages. Lock order: by id, because workers and other web processes write to several at once."""
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
        """Return {turn key: its stored parts, in order} of turns that have any."""
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
        """Mark unsettled messages as being sent, before the request goes out; return their ids."""
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
        """Requeue parts that were stored as being sent, of turns that have requested nothing."""
        if not (turn_keys := list(turn_keys)):
            return 0
        statement = f"""
            UPDATE bot_outboundmessage SET status = 'queued', attempts = attempts - 1, updated_at = %s
            WHERE turn_key {in_ids()} AND status = 'sending'
        """  # noqa: S608 (only placeholders are put in)
        return execute(statement, [time_value(timezone.now()), ids_value(turn_keys)])

    def requeue(self, outbound_id: int, error_code: str) -> int:
        """Requeue a message that the provider certainly did not accept."""
        return self.filter(id=outbound_id, status=Status.SENDING).update(
            status=Status.QUEUED, error_code=error_code, updated_at=timezone.now()
        )

    def record(self, sends: Sequence[SendRecord]) -> None:
        """Record the results of sends, in one statement.

        If a status webhook was faster, only the provider's id is added. Lock order: by id, as web processes lock the
        messages of statuses.
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
        """Requeue the failed parts of a turn that still have their text.

        held_back: only those after an uncertain one. since: only those that failed from then on.
        """
        failed = self.filter(turn_key=turn_key, status=Status.FAILED).exclude(text="")
        if held_back:
            failed = failed.exclude(doubt="")
        if since is not None:
            failed = failed.filter(updated_at__gte=since)
        # The provider assigns a new id when it is sent again.
        return failed.update(status=Status.QUEUED, error_code="", doubt="", external_id="", updated_at=timezone.now())

    def abandon(self, turn_key: int, error_code: str, doubt: str = "") -> int:
        """End the parts of an ended turn: queued ones have failed, one that was being sent is uncertain."""
        return self.filter(turn_key=turn_key, status__in=self.model.UNSETTLED).update(
            status=Case(When(status=Status.SENDING, then=Value(Status.UNCERTAIN)), default=Value(Status.FAILED)),
            error_code=error_code,
            doubt=doubt,
            updated_at=timezone.now(),
        )


class OutboundMessage(models.Model):
    """One part of a reply, stored before it is sent."""

    Status = Status
    # Not ended; accepted by the provider; shown to staff as problems, some of which they can send again.
    UNSETTLED = (Status.QUEUED, Status.SENDING)
    GONE_OUT = (Status.SENT, Status.DELIVERED, Status.READ)
    PROBLEMS = (Status.FAILED, Status.UNCERTAIN, Status.EXPIRED)
    SENDABLE_AGAIN = (Status.UNCERTAIN, Status.FAILED)

    bot = models.ForeignKey(Bot, models.CASCADE, db_constraint=False, db_index=False, related_name="outbound_messages")
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    turn_key = models.BigIntegerField(_("turn key"))
    part = models.PositiveSmallIntegerField(_("part"))
    text = models.TextField(_("text"), blank=True)
    # Set for a document: the text is then its content.
    filename = models.CharField(_("file name"), max_length=FILENAME_LENGTH, blank=True, default="", db_default="")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    external_id = models.CharField(_("external id"), max_length=EXTERNAL_ID_LENGTH, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    # Why its status, or that of the part it was held back for, is uncertain; RESOLVED: it was found out.
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
            # For the desk: messages of a chat or a bot; and problems. No index on the status, so that a delivery
            # status updates a row without touching an index.
            models.Index(fields=["bot", "address", "id"], name="outbound_of_chat"),
            models.Index(fields=["id"], name="outbound_problems", condition=~Q(error_code="", doubt="")),
        ]

    def __str__(self) -> str:
        return f"{self.turn_key}/{self.part} ({self.status})"

    @property
    def code(self) -> str:
        """The problem as one code."""
        return code_of(self.error_code, self.doubt)

    def settle_by_hand(self, status: str, doubt: str = "") -> None:
        """Set the status of a locked message by decision of staff."""
        self.status, self.error_code, self.doubt, self.updated_at = status, "", doubt, timezone.now()
        if status == Status.QUEUED:
            self.external_id = ""  # the provider assigns a new id when it is sent again
        self.save(update_fields=["status", "error_code", "doubt", "external_id", "updated_at"])
