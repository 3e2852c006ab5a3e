"""What the days came to: of those whose messages are not written, as they were planned; of the others, as counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from bot.dev.demo.bots import BOTS
from bot.dev.demo.inbox_rows import STATES
from bot.dev.demo.marks import SLUG_PREFIX, seeded_calls
from bot.dev.demo.turns import ANSWERED, DEAD, EXPIRED, FAILED, UNCERTAIN, PlannedTurn
from bot.models import DailyFigures, InboundMessage
from bot.operations.figures.costs import keep_costs
from bot.operations.figures.days import quantiles
from bot.operations.figures.folding import fold_minute, held_days
from usage.managers import today

# From a message's arrival to the end of its reply, besides the waiting and the model: sending, mostly.
SENDING_MS = 250
State = InboundMessage.State
# A day and a bot's slug, "" for all of them.
Place = tuple[date, str]


def store_figures(turns: Sequence[PlannedTurn]) -> int:
    """Store the figures of all days that are over, once the calls and messages of turns are stored; return how many."""
    zone, counted = timezone.get_default_timezone(), held_days() | {today()}
    days = DailyFigures.objects.of("").filter(received__gt=0) | DailyFigures.objects.of("").filter(sent__gt=0)
    # What others have used on a day is not overwritten with what was made up.
    real = set(days.values_list("day", flat=True))
    planned: dict[Place, list[PlannedTurn]] = defaultdict(list)
    for turn in turns:
        if (day := turn.at.astimezone(zone).date()) not in counted:
            planned[day, BOTS[turn.bot].slug].append(turn)
            planned[day, ""].append(turn)
    spent = _spent()
    rows = [
        {"day": day, "bot": bot, **_messages(done), **spent.get((day, bot), _nothing())}
        for (day, bot), done in planned.items()
        if bot or day not in real
    ]
    DailyFigures.objects.store(rows)
    fold_minute()
    return DailyFigures.objects.filter(bot__startswith=SLUG_PREFIX).count()


def clear_figures() -> int:
    """Delete the figures of the seeded bots, and of all bots together what can be counted anew or was theirs alone."""
    seeded = DailyFigures.objects.filter(bot__startswith=SLUG_PREFIX)
    days = set(seeded.values_list("day", flat=True))
    gone = seeded.delete()[0]
    shared = set(DailyFigures.objects.exclude(bot="").filter(day__in=days).values_list("day", flat=True))
    wrong = {*(days - shared), *held_days(), today()}
    gone += DailyFigures.objects.of("").filter(day__in=wrong).delete()[0]
    # What the seeded calls have cost is in the others by now.
    others = shared - wrong
    DailyFigures.objects.of("").filter(day__in=others).update(**_nothing())
    keep_costs(others, held_days())
    return gone


def _messages(turns: Iterable[PlannedTurn]) -> dict[str, Any]:
    turns = list(turns)
    outcomes = Counter(turn.outcome for turn in turns)
    unsent = outcomes[FAILED] + outcomes[UNCERTAIN] + outcomes[EXPIRED]
    failures = {
        str(STATES.get(outcome, (State.DONE, outcome))[1]): count
        for outcome, count in outcomes.items()
        if outcome != ANSWERED
    }
    times = [turn.waited_ms + turn.model_ms + SENDING_MS for turn in turns if turn.outcome == ANSWERED]
    median, p95 = quantiles(times)
    return {
        "received": len(turns),
        "answered": outcomes[ANSWERED],
        "failed": sum(failures.values()),
        "failures": failures,
        "people": len({turn.person for turn in turns}),
        "sent": len(turns) - unsent - outcomes[DEAD],
        "unsent": unsent,
        "median_ms": median,
        "p95_ms": p95,
    }


def _spent() -> dict[Place, dict[str, Any]]:
    """Return what the seeded calls came to. One query."""
    day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
    sums = (Sum("input_tokens"), Sum("output_tokens"), Sum("cost_micros", default=0))
    calls: Any = seeded_calls().order_by().annotate(on=day).values_list("on", "bot", "model").annotate(*sums)
    spent: dict[Place, dict[str, Any]] = {}
    for on, bot, model, into, out, cost in calls:
        for place in ((on, bot), (on, "")):
            sums_of_place = spent.setdefault(place, _nothing())
            sums_of_place["input_tokens"] += into
            sums_of_place["output_tokens"] += out
            sums_of_place["cost_micros"] += cost
            costs = sums_of_place["costs"]
            costs[model] = costs.get(model, 0) + cost
    return spent


def _nothing() -> dict[str, Any]:
    return {"input_tokens": 0, "output_tokens": 0, "cost_micros": 0, "costs": {}}
