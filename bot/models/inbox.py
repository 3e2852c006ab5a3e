"""The inbox, which is also the queue: its rows, and every statement that reads or changes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.models.bots import Bot
from bot.models.columns import ADDRESS_LENGTH, EXTERNAL_ID_LENGTH, REQUEST_ID_LENGTH
from bot.models.storing import NewInbound, RowKey, store
from config.db.sql import execute, fetch, ids_value, in_ids, read_time, rows_source, rows_value, time_value

# The payload of a dead letter whose text an erasure deleted: it cannot be replayed.
EMPTIED = {"erased": True}
# The key of a payload for the id of the member of staff who wrote it in the simulator.
VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class AnsweredMessage:
    """A message whose reply is stored. steps: (stage, milliseconds since the turn began), of a turn's first message."""

    id: int
    turn_key: int
    steps: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class PendingRow:
    """The columns of a pending message that a worker needs, in the order of its SELECT. Times are aware."""

    id: int
    bot_id: int
    address: str
    external_id: str
    kind: str
    attempts: int
    turn_key: int | None
    request_id: str
    origin: str
    payload: dict[str, Any]
    sent_at: datetime | None
    received_at: datetime | None


class InboundMessageQuerySet(models.QuerySet["InboundMessage"]):
    """The inbox, which is also the queue."""

    def store(self, rows: Sequence[NewInbound]) -> dict[RowKey, int]:
        """Insert rows, skipping duplicates by the unique constraint; return the ids of the new ones.

        It is one statement, and so needs no transaction around it.
        """
        if not rows:
            return {}
        return store(rows)

    def pending(self) -> InboundMessageQuerySet:
        """Keep messages that still need an answer."""
        return self.filter(state=self.model.State.PENDING)

    def is_anything_pending(self) -> bool:
        """Return whether any message needs an answer, now or later: one lookup in the queue's index."""
        return bool(fetch("SELECT 1 FROM bot_inboundmessage WHERE state = 'pending' LIMIT 1"))

    def waiting_chats(self, now: datetime, most: int) -> list[tuple[int, str]]:
        """Return (bot id, address) of unleased chats with pending messages, each once, the longest waiting first.

        Paused bots are excluded, and chats whose last workers all crashed (LeaseQuerySet.next_suspect). Lock order:
        nothing is locked here, because a worker that held messages and waited for a lease would deadlock with one that
        holds the lease and writes to its messages.
        """
        # Raw SQL: it runs many times a second, and building the query took longer than executing it.
        statement = """
            SELECT message.bot_id, message.address FROM bot_inboundmessage AS message
            JOIN bot_bot AS bot ON bot.id = message.bot_id AND bot.is_active AND bot.paused_at IS NULL
            WHERE message.state = 'pending' AND message.available_at <= %s AND NOT EXISTS (
                SELECT 1 FROM bot_lease AS lease WHERE lease.bot_id = message.bot_id
                AND lease.address = message.address
                AND (lease.expires_at > %s OR (lease.deaths > 1 AND lease.worker <> '')))
            ORDER BY message.available_at, message.id LIMIT %s
        """
        with connection.cursor() as cursor:
            # Several times as many rows as chats, because a burst is several rows of one chat.
            cursor.execute(statement, [time_value(now), time_value(now), most * 4])
            return list(dict.fromkeys(cursor.fetchall()))[:most]

    def of_leased_chats(self, lease_ids: Iterable[int]) -> list[PendingRow]:
        """Return the pending messages of the leased chats, in order of arrival."""
        statement = f"""
            SELECT message.id, message.bot_id, message.address, message.external_id, message.kind, message.attempts,
                message.turn_key, message.request_id, message.origin, message.payload, message.sent_at,
                message.received_at
            FROM bot_lease AS lease JOIN bot_inboundmessage AS message
                ON message.bot_id = lease.bot_id AND message.address = lease.address AND message.state = 'pending'
            WHERE lease.id {in_ids()} ORDER BY message.id
        """  # noqa: S608 (only placeholders are put in)
        rows = fetch(statement, [ids_value(lease_ids)])
        return [PendingRow(*_as_read(row)) for row in rows]

    def begin(self, ids: Iterable[int]) -> int:
        """Count an attempt before the work starts, so that it counts even if the worker crashes."""
        statement = f"UPDATE bot_inboundmessage SET attempts = attempts + 1, begun_at = %s WHERE id {in_ids()}"  # noqa: S608
        return execute(statement, [time_value(timezone.now()), ids_value(ids)])

    def undo_attempt(self, ids: Iterable[int]) -> int:
        """Uncount an attempt that we interrupted ourselves, by a shutdown or a pause."""
        return self.filter(id__in=list(ids), attempts__gt=0).update(attempts=F("attempts") - 1)

    def assign_turns(self, answered: Sequence[AnsweredMessage]) -> None:
        """Set the turn key and steps of messages whose reply is stored, in one statement."""
        if not answered:
            return
        source = rows_source("answered", {"id": "bigint", "turn_key": "bigint", "steps": "text"})
        # SQLite stores JSON as text; NULL unless the message is the first of its turn.
        steps = f"CAST(answered.steps AS {'jsonb' if connection.vendor == 'postgresql' else 'text'})"
        statement = f"""
            UPDATE bot_inboundmessage SET turn_key = answered.turn_key, steps = {steps}
            FROM {source} WHERE bot_inboundmessage.id = answered.id
        """  # noqa: S608 (only placeholders are put in)
        rows = (
            {"id": one.id, "turn_key": one.turn_key, "steps": json.dumps(one.steps) if one.steps else None}
            for one in answered
        )
        execute(statement, [rows_value(rows)])

    def finish(self, ids: Iterable[int], *, error_code: str = "") -> int:
        """Mark messages as done and empty their payload; the rows stay to recognise redeliveries."""
        statement = f"""
            UPDATE bot_inboundmessage SET state = 'done', payload = '{{}}', error_code = %s, finished_at = %s
            WHERE id {in_ids()}
        """  # noqa: S608 (only placeholders are put in)
        return execute(statement, [error_code, time_value(timezone.now()), ids_value(ids)])

    def give_up(self, ids: Iterable[int], error_code: str) -> int:
        """Record why messages were given up, before an apology is sent for them."""
        return self.filter(id__in=list(ids)).update(error_code=error_code)

    def mark_dead(self, ids: Iterable[int], error_code: str) -> int:
        """Mark messages as dead letters with a reason, unless give_up() has set one; they keep their payload."""
        first = Case(When(error_code="", then=Value(error_code)), default=F("error_code"))
        return self.filter(id__in=ids).update(state=self.model.State.DEAD, error_code=first, finished_at=timezone.now())

    def empty(self) -> int:
        """Delete the payload of dead letters for good; the rows stay to recognise redeliveries."""
        return self.filter(state=self.model.State.DEAD).update(payload=EMPTIED)

    def of_turn(self, turn_key: int) -> InboundMessageQuerySet:
        """Keep the messages of a turn whose reply is stored: its key is the id of the first of them."""
        return self.filter(id__gte=turn_key, turn_key=turn_key)

    def reopen(self) -> int:
        """Make ended messages pending again, with no attempts counted."""
        state = self.model.State.PENDING
        return self.update(state=state, attempts=0, error_code="", available_at=timezone.now(), finished_at=None)


def _as_read(row: tuple[Any, ...]) -> tuple[Any, ...]:
    *known, origin, payload, sent_at, received_at = row
    payload = json.loads(payload)
    # The previous version, which may still run beside this one, marks it by keys of the payload.
    if "notice" in payload and origin == InboundMessage.Origin.PERSON:
        origin = InboundMessage.Origin.FAREWELL if "farewell" in payload else InboundMessage.Origin.NOTICE
    return (*known, origin, payload, read_time(sent_at), read_time(received_at))


class InboundMessage(models.Model):
    """A message a webhook delivered. Pending rows are the queue; others stay for 8 days to recognise redeliveries."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        DEAD = "dead", _("dead letter")
        QUARANTINED = "quarantined", _("quarantined")

    class Origin(models.TextChoices):
        """Origin of a row. Webhooks cannot set it, whereas a provider may call a kind of message anything."""

        PERSON = "person"
        NOTICE = "notice"
        FAREWELL = "farewell"
        ADDRESS_CHANGE = "address_change"
        REJECTED = "rejected"

    # No foreign key constraint: checking it would lock the bot's row for every arriving message.
    bot = models.ForeignKey(Bot, models.CASCADE, db_constraint=False, db_index=False, related_name="inbound_messages")
    external_id = models.CharField(_("external id"), max_length=EXTERNAL_ID_LENGTH)
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    kind = models.CharField(_("kind"), max_length=30)
    origin = models.CharField(_("origin"), max_length=14, choices=Origin, db_default=Origin.PERSON)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING)
    turn_key = models.BigIntegerField(_("turn key"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    # No index on times: rows are purged in the order of their ids, and every index is paid for by every webhook.
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    available_at = models.DateTimeField(_("available"), default=timezone.now)
    # For `manage.py trace`: the webhook request that brought it, and the durations of its turn's stages.
    request_id = models.CharField(_("request id"), max_length=REQUEST_ID_LENGTH, blank=True, db_default="")
    begun_at = models.DateTimeField(_("begun"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    steps = models.JSONField(_("steps"), null=True, blank=True)

    objects = InboundMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("inbound message")
        verbose_name_plural = _("inbound messages")
        constraints = [models.UniqueConstraint(fields=["bot", "external_id"], name="inbound_once")]
        indexes = [
            models.Index(fields=["available_at"], name="inbound_queue", condition=Q(state="pending")),
            models.Index(fields=["bot", "address"], name="inbound_chat", condition=Q(state="pending")),
            # For the desk: messages of a chat or a bot; and rare states, in small partial indexes.
            models.Index(fields=["bot", "address", "id"], name="inbound_of_chat"),
            models.Index(
                fields=["state", "id"], name="inbound_problems", condition=Q(state__in=("dead", "quarantined"))
            ),
            models.Index(fields=["kind", "id"], name="inbound_other_kinds", condition=~Q(kind="text")),
            models.Index(fields=["origin", "id"], name="inbound_other_origins", condition=~Q(origin="person")),
            models.Index(fields=["error_code", "-id"], name="inbound_failed", condition=~Q(error_code="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"
