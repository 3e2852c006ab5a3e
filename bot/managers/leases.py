"""The leases of chats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, models

from bot.managers.sql import rows_of, time_value

if TYPE_CHECKING:
    from bot.models import Lease  # noqa: F401 (named in the queryset's type)


@dataclass(frozen=True, slots=True)
class TakenLease:
    """A lease this worker holds: writes are allowed while the row still has this fence."""

    id: int
    bot_id: int
    address: str
    fence: int


class LeaseQuerySet(models.QuerySet["Lease"]):
    """The leases of chats."""

    def take(self, chats: Iterable[tuple[int, str]], worker: str, now: datetime, until: datetime) -> list[TakenLease]:
        """Take the leases of those chats (bot id, address) that are free or expired, in one statement.

        Chats are locked in sorted order, so that two workers taking the same chats cannot deadlock.
        """
        wanted = sorted(set(chats))
        if not wanted:
            return []
        values = rows_of(len(wanted), "(%s, %s, %s, 1, %s)")
        parameters: list[Any] = []
        for bot_id, address in wanted:
            parameters += (bot_id, address, worker, time_value(until))
        statement = f"""
            INSERT INTO bot_lease (bot_id, address, worker, fence, expires_at) VALUES {values}
            ON CONFLICT (bot_id, address) DO UPDATE
            SET fence = bot_lease.fence + 1, worker = excluded.worker, expires_at = excluded.expires_at
            WHERE bot_lease.expires_at <= %s
            RETURNING id, bot_id, address, fence
        """  # noqa: S608 (only placeholders are put in)
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, time_value(now)])
            return [TakenLease(*row) for row in cursor.fetchall()]

    def lock_held(self, leases: Iterable[TakenLease], worker: str) -> set[int]:
        """Lock the leases that are still this worker's, in a transaction, and return their ids.

        Until the transaction ends nobody can take them over: what is written meanwhile is fenced.
        """
        fences = {lease.id: lease.fence for lease in leases}
        rows = (
            self.select_for_update()
            .filter(id__in=fences, worker=worker)
            .order_by("bot_id", "address")
            .values_list("id", "fence")
        )
        return {id for id, fence in rows if fences[id] == fence}

    def renew(self, leases: Sequence[TakenLease], worker: str, until: datetime) -> int:
        """Extend the leases that are still this worker's, in a transaction, and return how many they are."""
        return self.filter(id__in=self.lock_held(leases, worker)).update(expires_at=until)

    def release(self, ids: Iterable[int], free_at: datetime) -> int:
        """Give leases up; their chats may be worked on from free_at. Call it after lock_held()."""
        return self.filter(id__in=ids).update(worker="", expires_at=free_at)
