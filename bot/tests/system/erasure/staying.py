"""What an erasure must leave as it is: everybody else's rows, byte for byte, and the sums of everybody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Sum

from bot.tests.system.erasure.spellings import as_bytes
from usage.models import DailySpend, Reservation, UsageDay, UsageRecord

# (table, primary key).
Key = tuple[str, Any]
Rows = Mapping[Key, Mapping[str, bytes]]
COUNTED = ("input_tokens", "cached_input_tokens", "output_tokens", "cost_micros")


def all_rows() -> dict[Key, dict[str, bytes]]:
    """Return every row of every model's table: its columns, as bytes."""
    rows: dict[Key, dict[str, bytes]] = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy:
            continue
        table, key = model._meta.db_table, model._meta.pk.column
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            names = [column[0] for column in cursor.description]
            for values in cursor.fetchall():
                row = dict(zip(names, values, strict=True))
                rows[table, row[key]] = {name: as_bytes(value) for name, value in row.items()}
    return rows


def changed(keys: Iterable[Key], before: Rows, after: Rows) -> dict[Key, dict[str, tuple[bytes, bytes | None]]]:
    """Return which columns of these rows are otherwise than before, and how; all of them, where the row is gone.

    What everybody together has reserved is left out: it is the less when somebody's turn is cut off.
    """
    found: dict[Key, dict[str, tuple[bytes, bytes | None]]] = {}
    for key in keys:
        new = after.get(key, {})
        differs = {name: (old, new.get(name)) for name, old in before[key].items() if new.get(name) != old}
        if key[0] == DailySpend._meta.db_table and before[key]["user_id"] == b"":
            differs.pop("reserved_micros", None)
        if differs:
            found[key] = differs
    return found


@dataclass(frozen=True, slots=True)
class Sums:
    """What everything came to: tokens and cost of all calls, of each bot and model; what days have cost."""

    usage: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    spent: dict[tuple[str, str], int] = field(default_factory=dict)


def sums() -> Sums:
    """Return them. A call counts whether it has a record of its own or is a part of its day's."""
    usage: dict[tuple[str, str], tuple[int, ...]] = {}
    for model in (UsageRecord, UsageDay):
        for row in (
            model._base_manager.values_list("bot", "model").annotate(*(Sum(name) for name in COUNTED)).order_by()
        ):
            before = usage.get(row[:2], (0,) * len(COUNTED))
            usage[row[:2]] = tuple(old + (new or 0) for old, new in zip(before, row[2:], strict=True))
    spends = DailySpend.objects.filter(user=None).values_list("day", "bot", "spent_micros")
    return Sums(usage, {(str(day), bot): spent for day, bot, spent in spends})


def reserved() -> tuple[int, int]:
    """Return what everybody's row has reserved, and what the reservations come to: always the same."""
    everybody = DailySpend.objects.filter(user=None, bot="").aggregate(sum=Sum("reserved_micros"))["sum"]
    held = Reservation.objects.aggregate(sum=Sum("amount_micros"))["sum"]
    return everybody or 0, held or 0
