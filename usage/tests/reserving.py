"""Reserve and settle."""

from datetime import date
from typing import Any

from usage.budgets import Spent, Wanted
from usage.days import today
from usage.models import DailySpend
from users.models import User

SHOP, DESK = "shop", "desk"


def spent(key: int, user: User | None, cost: int, *, fence: int = 1, on: date | None = None, bot: str = SHOP) -> Spent:
    """Return what a turn came to, on the day it had reserved for (None: it had not)."""
    return Spent(key, fence, user.pk if user else None, bot, cost, on or today(), has_reserved=on is not None)


def sums(owner: User | str | None, day: date | None = None) -> tuple[int, int]:
    """Return (spent, reserved) of a person, a bot (its slug), or everybody's."""
    user, bot = (None, owner) if isinstance(owner, str) else (owner, "")
    row = DailySpend.objects.filter(user=user, bot=bot, day=day or today()).first()
    return (row.spent_micros, row.reserved_micros) if row else (0, 0)


def wanted(key: int, user: User | None, amount: int = 10, *, cap: int | None = None, **fields: Any) -> Wanted:
    caps = {"user_cap_micros": cap, "bot_cap_micros": None, "global_cap_micros": None}
    return Wanted(**{"fence": 1, "bot": SHOP, **caps, **fields}, turn_key=key, user_id=user.pk if user else None,
                  amount_micros=amount)  # fmt: skip
