"""The repository of budgets: what days have cost and what is reserved, changed by sums and locked in one order.

Reservations are locked before spends; spends by person, everybody's row last. Whoever keeps to it cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models.functions import Coalesce

from config.rows import insert_rows

if TYPE_CHECKING:
    from usage.models import DailySpend, Reservation  # noqa: F401 (named in the querysets' types)

# Whose row: a person's id; None: everybody's.
Owner = int | None


@dataclass(slots=True)
class Changes:
    """What is to be added to the spends of days: for a person and, always, for everybody."""

    _sums: dict[tuple[Owner, date], list[int]] = field(default_factory=dict)

    def add(self, user_id: Owner, day: date, *, spent: int = 0, reserved: int = 0) -> None:
        """Count an amount for a person and for everybody."""
        for owner in {user_id, None}:
            sums = self._sums.setdefault((owner, day), [0, 0])
            sums[0] += spent
            sums[1] += reserved

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each change, in the order in which they are locked."""
        ordered = sorted(self._sums.items(), key=lambda item: (item[0][0] is None, item[0][0] or 0, item[0][1]))
        return [
            {"user_id": owner, "day": day.isoformat(), "spent_micros": sums[0], "reserved_micros": sums[1]}
            for (owner, day), sums in ordered
        ]


class DailySpendQuerySet(models.QuerySet["DailySpend"]):
    """What days have cost."""

    def of(self, owner: Owner, day: date) -> Self:
        """Keep the row of a person, or everybody's, for a day: what the unique index finds at once."""
        return self.alias(owner=Coalesce("user", 0)).filter(owner=owner or 0, day=day)

    def apply(self, changes: Changes) -> dict[tuple[Owner, date], int]:
        """Add the changes, in a transaction; return to which sum of spent and reserved each row has come.

        One statement. It makes the rows that are missing and locks each one, also where nothing is added to it.
        """
        returned = insert_rows(
            self.model,
            changes.rows(),
            on_conflict=(
                "(COALESCE(user_id, 0), bot, day) DO UPDATE SET "
                "spent_micros = usage_dailyspend.spent_micros + excluded.spent_micros, "
                "reserved_micros = usage_dailyspend.reserved_micros + excluded.reserved_micros"
            ),
            returning=("user_id", "CAST(day AS text)", "spent_micros + reserved_micros"),
        )
        return {(owner, date.fromisoformat(day)): total for owner, day, total in returned}


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """What turns have reserved."""

    def locked(self, most: int | None = None) -> list[Reservation]:
        """Lock the reservations (the first so many of them) and return them."""
        return list(self.select_for_update(of=("self",)).order_by("turn_key")[:most])

    def take_out(self, reservations: Sequence[Reservation], changes: Changes) -> None:
        """Delete locked reservations and note that their amounts are free again."""
        for reservation in reservations:
            changes.add(reservation.user_id, reservation.day, reserved=-reservation.amount_micros)
        if reservations:
            self.filter(pk__in=[reservation.pk for reservation in reservations]).delete()

    def put_in(self, rows: Iterable[dict[str, Any]]) -> None:
        """Store new reservations, in one statement. Before the spends: a key that another is deleting is waited for."""
        insert_rows(self.model, sorted(rows, key=lambda row: int(row["turn_key"])))
