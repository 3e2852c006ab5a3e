"""Keep what days have cost as the report of usage says it: calls are priced anew, and recorded late."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from bot.models import Bot, DailyFigures
from usage.models import ClosedDay
from usage.models.closed import Line, last_closed

COSTS = ("costs", "input_tokens", "output_tokens", "cost_micros")


def keep_costs(days: Collection[date], held: Collection[date]) -> None:
    """Give the figures of days, with each bot and with all, the sums of their calls; none that are less.

    held: the days whose messages are there. Of others without figures nothing else is known.
    """
    days = {day for day in days if day <= last_closed()}
    if not days:
        return
    sums = _sums(ClosedDay.objects.lines(min(days), max(days)), {"", *Bot.objects.values_list("slug", flat=True)})
    kept = {(row.day, row.bot): row for row in DailyFigures.objects.over().between(min(days), max(days))}
    changed, new = [], []
    for (day, bot), costs in sums.items():
        row = kept.get((day, bot))
        if row is None:
            new.append({"day": day, "bot": bot, "has_messages": day in held or (day, "") in kept, **costs})
        elif costs["input_tokens"] >= row.input_tokens and any(getattr(row, name) != costs[name] for name in COSTS):
            for name in COSTS:
                setattr(row, name, costs[name])
            changed.append(row)
    DailyFigures.objects.store(new)
    DailyFigures.objects.bulk_update(changed, COSTS)


def _sums(lines: Iterable[Line], bots: set[str]) -> dict[tuple[date, str], dict[str, Any]]:
    sums: dict[tuple[date, str], dict[str, Any]] = defaultdict(lambda: {**dict.fromkeys(COSTS, 0), "costs": {}})
    for line in lines:
        for bot in {"", line["bot"]} & bots:
            row = sums[line["day"], bot]
            for name in COSTS[1:]:
                row[name] += line[name]
            row["costs"][line["model"]] = row["costs"].get(line["model"], 0) + line["cost_micros"]
    return sums
