"""The repository of budgets: what days have cost and what is reserved, changed by sums and locked in one order.

Reservations are locked before spends; spends by person, then by bot, everybody's row last. Whoever keeps to it cannot
deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from config.db.rows import insert_rows
from usage.owner import OWNER

if TYPE_CHECKING:
    from usage.models import DailySpend, Reservation  # noqa: F401 (named in the querysets' types)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose row of a day: a person's with all bots, a bot's (its slug) with everybody, or with neither everybody's."""

    user_id: int | None = None
    bot: str = ""

    @property
    def place(self) -> tuple[bool, bool, int, str]:
        """Where the row comes when many are locked: people by id, bots by slug, everybody last."""
        return self == EVERYBODY, self.user_id is None, self.user_id or 0, self.bot


EVERYBODY = Owner()


def owners(user_id: int | None, bot: str) -> set[Owner]:
    """Return whose rows an amount counts in. Who is not known (a person who was deleted) has none of their own."""
    return {Owner(user_id=user_id), Owner(bot=bot), EVERYBODY}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a row of a day has come to."""

    spent_micros: int
    reserved_micros: int

    @property
    def total_micros(self) -> int:
        """Spent and reserved together."""
        return self.spent_micros + self.reserved_micros

    def with_reserved(self, micros: int) -> Standing:
        """Return what it comes to with so much more reserved."""
        return Standing(self.spent_micros, self.reserved_micros + micros)


@dataclass(slots=True)
class Changes:
    """What is to be added to the spends of days: for a person, for a bot and, always, for everybody."""

    _sums: dict[tuple[Owner, date], list[int]] = field(default_factory=dict)

    def add(self, user_id: int | None, bot: str, day: date, *, spent: int = 0, reserved: int = 0) -> None:
        """Count an amount for a person, for the bot they talk to, and for everybody."""
        for owner in owners(user_id, bot):
            sums = self._sums.setdefault((owner, day), [0, 0])
            sums[0] += spent
            sums[1] += reserved

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each change, in the order in which they are locked."""
        ordered = sorted(self._sums.items(), key=lambda item: (item[0][0].place, item[0][1]))
        return [
            {
                "user_id": owner.user_id,
                "bot": owner.bot,
                "day": day.isoformat(),
                "spent_micros": sums[0],
                "reserved_micros": sums[1],
            }
            for (owner, day), sums in ordered
        ]


class DailySpendQuerySet(models.QuerySet["DailySpend"]):
    """What days have cost."""

    def of(self, owner: Owner, day: date) -> Self:
        """Keep the row of a person, a bot or everybody for a day: what the unique index finds at once."""
        return self.alias(person=OWNER).filter(person=owner.user_id or 0, bot=owner.bot, day=day)

    def apply(self, changes: Changes) -> dict[tuple[Owner, date], Standing]:
        """Add the changes, in a transaction; return to what each row has come.

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
            returning=("user_id", "bot", "CAST(day AS text)", "spent_micros", "reserved_micros"),
        )
        return {
            (Owner(user_id, bot), date.fromisoformat(day)): Standing(spent, reserved)
            for user_id, bot, day, spent, reserved in returned
        }


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """What turns have reserved."""

    def locked(self, most: int | None = None) -> list[Reservation]:
        """Lock the reservations (the first so many of them) and return them."""
        return list(self.select_for_update(of=("self",)).order_by("turn_key")[:most])

    def take_out(self, reservations: Sequence[Reservation], changes: Changes) -> None:
        """Delete locked reservations and note that their amounts are free again."""
        for held in reservations:
            changes.add(held.user_id, held.bot, held.day, reserved=-held.amount_micros)
        if reservations:
            self.filter(pk__in=[reservation.pk for reservation in reservations]).delete()

    def put_in(self, rows: Iterable[dict[str, Any]]) -> None:
        """Store new reservations, in one statement. Before the spends: a key that another is deleting is waited for."""
        insert_rows(self.model, sorted(rows, key=lambda row: int(row["turn_key"])))
