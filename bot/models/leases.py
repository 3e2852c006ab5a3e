"""Fenced leases: the right to work on a chat, and the statements that take, renew and release it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.models.bots import Bot
from bot.models.columns import ADDRESS_LENGTH
from config.db.sql import execute, fetch, for_update, ids_value, in_ids, rows_source, rows_value, time_value

REVOKED_AT_ONCE = 1_000
# A chat whose last three workers crashed may have caused it: no worker takes two such chats at once.
SUSPECT_DEATHS = 3


class LeaseLost(Exception):
    """Another worker has taken the chat over: this turn must not write or send."""


@dataclass(frozen=True, slots=True)
class TakenLease:
    """A lease that this worker holds: writes are allowed while the row still has this fence.

    deaths: how many consecutive owners before this one crashed.
    """

    id: int
    bot_id: int
    address: str
    fence: int
    deaths: int = 0

    @property
    def is_suspect(self) -> bool:
        """Whether its chat may have crashed them."""
        return self.deaths >= SUSPECT_DEATHS


class LeaseQuerySet(models.QuerySet["Lease"]):
    """The leases of chats."""

    def take(self, chats: Iterable[tuple[int, str]], worker: str, now: datetime, until: datetime) -> list[TakenLease]:
        """Take the free and expired leases among these chats (bot id, address), in one statement.

        Lock order: chats sorted, so that two workers taking the same chats cannot deadlock.
        """
        wanted = sorted(set(chats))
        if not wanted:
            return []
        source = rows_source("chat", {"bot_id": "bigint", "address": "text"})
        # Without WHERE, SQLite would parse the ON of ON CONFLICT as that of a join.
        statement = f"""
            INSERT INTO bot_lease (bot_id, address, worker, fence, deaths, expires_at)
            SELECT chat.bot_id, chat.address, %s, 1, 0, %s FROM {source} WHERE true
            ON CONFLICT (bot_id, address) DO UPDATE
            SET fence = bot_lease.fence + 1, worker = excluded.worker, expires_at = excluded.expires_at,
                deaths = CASE WHEN bot_lease.worker = '' THEN 0 ELSE bot_lease.deaths + 1 END
            WHERE bot_lease.expires_at <= %s
            RETURNING id, bot_id, address, fence, deaths
        """  # noqa: S608 (only placeholders are put in)
        rows = rows_value({"bot_id": bot_id, "address": address} for bot_id, address in wanted)
        return [TakenLease(*row) for row in fetch(statement, [worker, time_value(until), rows, time_value(now)])]

    def next_suspect(self, now: datetime) -> list[tuple[int, str]]:
        """Return the waiting chat (bot id, address) with the fewest worker crashes, of those with more than one.

        Chats that merely shared a batch with the culprit are retried first and leave the list; its count keeps growing.
        """
        # The WHERE clause must match the partial index literally.
        statement = """
            SELECT lease.bot_id, lease.address FROM bot_lease AS lease
            JOIN bot_inboundmessage AS message ON message.bot_id = lease.bot_id AND message.address = lease.address
                AND message.state = 'pending' AND message.available_at <= %s
            JOIN bot_bot AS bot ON bot.id = lease.bot_id AND bot.is_active AND bot.paused_at IS NULL
            WHERE lease.deaths > 1 AND lease.worker <> '' AND lease.expires_at <= %s
            ORDER BY lease.deaths, message.id LIMIT 1
        """
        with connection.cursor() as cursor:
            cursor.execute(statement, [time_value(now), time_value(now)])
            return list(cursor.fetchall())

    def lock_held(self, leases: Iterable[TakenLease], worker: str) -> set[int]:
        """Lock the leases that are still this worker's and return their ids. Call it in a transaction.

        Until the transaction ends nobody can take them over, so that its writes are fenced.
        """
        fences = {lease.id: lease.fence for lease in leases}
        if not fences:
            return set()
        statement = f"""
            SELECT id, fence FROM bot_lease WHERE id {in_ids()} AND worker = %s
            ORDER BY bot_id, address {for_update()}
        """  # noqa: S608 (only placeholders are put in)
        return {id for id, fence in fetch(statement, [ids_value(fences), worker]) if fences[id] == fence}

    def lock_own_or_raise(self, lease: TakenLease) -> None:
        """Lock a lease until the transaction ends.

        Raises:
            LeaseLost: another worker has taken it, or it was revoked.
        """
        rows = self.select_for_update().filter(id=lease.id, fence=lease.fence).exclude(worker="")
        if not rows.values_list("id", flat=True):
            raise LeaseLost

    def revoke(self, chats: Iterable[tuple[int, str]], *, keep: int | None = None) -> None:
        """Revoke the leases of chats (bot id, address); until the transaction ends nobody can take them.

        keep: the id of a lease that its worker keeps.
        """
        wanted = sorted(set(chats))
        for start in range(0, len(wanted), REVOKED_AT_ONCE):
            some = wanted[start : start + REVOKED_AT_ONCE]
            now = time_value(timezone.now())
            parameters: list[Any] = []
            for bot_id, address in some:
                parameters += (bot_id, address, now)
            values = ", ".join(["(%s, %s, '', 1, 0, %s)"] * len(some))
            statement = f"""
                INSERT INTO bot_lease (bot_id, address, worker, fence, deaths, expires_at) VALUES {values}
                ON CONFLICT (bot_id, address) DO UPDATE
                SET fence = bot_lease.fence + 1, worker = '', deaths = 0, expires_at = excluded.expires_at
                WHERE bot_lease.id <> %s
            """  # noqa: S608 (only placeholders are put in)
            with connection.cursor() as cursor:
                cursor.execute(statement, [*parameters, keep or 0])

    def renew(self, leases: Sequence[TakenLease], worker: str, until: datetime) -> int:
        """Extend the leases that are still this worker's; return how many. Call it in a transaction."""
        return self.filter(id__in=self.lock_held(leases, worker)).update(expires_at=until)

    def release(self, ids: Iterable[int], free_at: datetime) -> int:
        """Release leases; their chats may be claimed from free_at. Call it after lock_held()."""
        statement = f"UPDATE bot_lease SET worker = '', deaths = 0, expires_at = %s WHERE id {in_ids()}"  # noqa: S608
        return execute(statement, [time_value(free_at), ids_value(ids)])


class Lease(models.Model):
    """The right to work on a chat until expires_at. The fence grows with every owner and never shrinks."""

    bot = models.ForeignKey(Bot, models.CASCADE, db_constraint=False, db_index=False, related_name="leases")
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    worker = models.CharField(_("worker"), max_length=100, blank=True, default="")
    fence = models.BigIntegerField(_("fence"), default=1)
    deaths = models.PositiveSmallIntegerField(
        _("deaths"), default=0, help_text=_("How many owners died holding it, one after the other.")
    )
    expires_at = models.DateTimeField(_("expires"))

    objects = LeaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
        constraints = [models.UniqueConstraint(fields=["bot", "address"], name="lease_once")]
        indexes = [models.Index(fields=["deaths"], name="lease_suspect", condition=Q(deaths__gt=1))]

    def __str__(self) -> str:
        return f"{self.pk} (fence {self.fence})"
