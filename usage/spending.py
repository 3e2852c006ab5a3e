"""Whose spends an amount counts in, and changes of many, in the order in which their rows are locked."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any


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
# In place of a bot's slug.
ALL_BOTS = ""


def owners(user_id: int | None, bot: str) -> set[Owner]:
    """Return whose rows an amount counts in. Who is not known (a person who was deleted) has none of their own."""
    return {Owner(user_id=user_id), Owner(bot=bot), EVERYBODY}


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

    def ordered(self) -> list[tuple[tuple[Owner, date], list[int]]]:
        """Return the changes of spent and reserved, in lock order."""
        return sorted(self._sums.items(), key=lambda item: (item[0][0].place, item[0][1]))

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each change, in lock order."""
        return [
            {
                "user_id": owner.user_id,
                "bot": owner.bot,
                "day": day.isoformat(),
                "spent_micros": sums[0],
                "reserved_micros": sums[1],
            }
            for (owner, day), sums in self.ordered()
        ]
