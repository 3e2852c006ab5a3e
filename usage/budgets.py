"""Daily budgets: what a turn may cost is reserved before its model call and settled after it.

There are three caps: a person's, a bot's and everybody's. Spent and reserved together never exceed one at the moment of
a reservation, however many turns ask at once. What is reserved is the most that a call may cost, which is usually much
more than it does cost: who finds no room only because of what others have reserved may find it when they have settled
(OverBudget.may_pass). A call that costs more than was reserved for it all the same is counted as it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from usage.days import today
from usage.models import DailySpend, Reservation, ReservationQuerySet
from usage.pricing import assumed_micros
from usage.spending import EVERYBODY, Changes, Owner, owners
from usage.standing import Standing

if TYPE_CHECKING:
    from users.models import User

RELEASED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a turn wants to reserve. fence is its lease's: who took the turn over replaces what was held before."""

    turn_key: int
    fence: int
    user_id: int | None
    bot: str
    amount_micros: int
    user_cap_micros: int | None
    bot_cap_micros: int | None
    global_cap_micros: int | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a turn came to: the cost of its calls that were not counted before (0 for none), and the day it counts on.

    has_reserved: a reservation of the turn's may be there, to be given back.
    """

    turn_key: int
    fence: int
    user_id: int | None
    bot: str
    cost_micros: int
    day: date
    has_reserved: bool


class Cap(Enum):
    """Whose daily budget has no room. Where several have none, the first of these is told."""

    PERSON = "the person's"
    BOT = "the bot's"
    EVERYBODY = "everybody's"


class OverBudget(Exception):
    """A turn may not cost what it might. `cap`: which one is reached.

    may_pass: not by what was spent, but by what other turns have reserved, and may give back.
    """

    def __init__(self, cap: Cap, *, may_pass: bool = False) -> None:
        super().__init__(f"{cap.value} daily budget")
        self.cap = cap
        self.may_pass = may_pass


class Superseded(Exception):
    """Somebody with a greater fence has reserved for the turn: it is theirs now."""


def user_cap(user: "User | None", bots_default: int | None) -> int | None:
    """Return what a person may cost in a day, with all bots, in micro-dollars; None without a cap.

    It is their own; else what the bot they talk to allows each person; else the installation's.
    """
    if user is None:
        return None
    caps = (user.daily_budget_micros, bots_default, settings.USER_DAILY_BUDGET_MICROS)
    return next((cap for cap in caps if cap is not None), None)


def counted_micros(cost_micros: int | None, input_tokens: int, output_tokens: int) -> int:
    """Return what a call counts in budgets: its cost, estimated or real.

    Without a known price that is an assumption, settings.UNPRICED_MICROS_PER_MILLION for each million tokens of either
    kind: taking an unknown price for free would let a new model's name lift every cap.
    """
    if cost_micros is not None:
        return cost_micros
    return assumed_micros(input_tokens + output_tokens, settings.UNPRICED_MICROS_PER_MILLION)


def reserve(wanted: Sequence[Wanted]) -> list[date | Exception]:
    """Reserve for many turns, under all three caps or not at all; return for each the day, or why not.

    The exceptions among the results are OverBudget and Superseded. Reserving for a turn again replaces what it held.
    The rows are locked by the statement that reads them, and stay so until what was granted is in them: four statements
    for a whole batch, where a conditional UPDATE for each turn and cap would be two hundred.
    """
    day = today()
    with transaction.atomic():
        standing = Reservation.objects.filter(turn_key__in=[one.turn_key for one in wanted]).locked()
        fences = {reservation.turn_key: reservation.fence for reservation in standing}
        current = [one for one in wanted if one.fence >= fences.get(one.turn_key, 0)]
        changes = Changes()
        replaced = {one.turn_key for one in current}
        Reservation.objects.release([held for held in standing if held.turn_key in replaced], changes)
        Reservation.objects.put_in(_row(one, day) for one in current)
        for one in current:
            changes.add(one.user_id, one.bot, day)
        standings = {owner: sums for (owner, of), sums in DailySpend.objects.apply(changes).items() if of == day}
        refusals = dict(zip(current, _decide(current, standings), strict=True))
        grants = Changes()
        for one, refusal in refusals.items():
            if refusal is None:
                grants.add(one.user_id, one.bot, day, reserved=one.amount_micros)
        DailySpend.objects.apply(grants)
        if refused := [one.turn_key for one, refusal in refusals.items() if refusal]:
            Reservation.objects.filter(turn_key__in=refused).delete()
    return [refusals.get(one, Superseded()) or day for one in wanted]


def settle(turns: Sequence[Spent]) -> None:
    """Add what turns have cost to what was spent, and take out what they held. Part of the caller's transaction.

    At most three statements, one where no turn reserved, none where nothing was paid either. A turn that was taken over
    leaves the reservation to its new owner, but what it has spent counts.
    """
    changes = Changes()
    if fences := {turn.turn_key: turn.fence for turn in turns if turn.has_reserved}:
        held = Reservation.objects.filter(turn_key__in=fences).locked()
        Reservation.objects.release([one for one in held if one.fence <= fences[one.turn_key]], changes)
    for turn in turns:
        if turn.cost_micros:
            changes.add(turn.user_id, turn.bot, turn.day, spent=turn.cost_micros)
    DailySpend.objects.apply(changes)


def release(abandoned: ReservationQuerySet) -> int:
    """Take out reservations that no turn will settle any more, in short transactions; return how many."""
    released = 0
    while True:
        with transaction.atomic():
            changes = Changes()
            held = abandoned.locked(RELEASED_AT_ONCE)
            Reservation.objects.release(held, changes)
            DailySpend.objects.apply(changes)
        released += len(held)
        if len(held) < RELEASED_AT_ONCE:
            return released


def left_today(user_id: int, cap_micros: int) -> int:
    """Return what a person may still spend today. One query."""
    standing = DailySpend.objects.standings_of_people(today(), {user_id: cap_micros})[user_id]
    return max(0, cap_micros - standing.used_micros)


def _decide(wanted: Sequence[Wanted], standings: dict[Owner, Standing]) -> Iterator[OverBudget | None]:
    """Yield for each, in order, why it is refused, or None; what is granted counts for those that follow."""
    for one in wanted:
        caps = (
            (Cap.PERSON, Owner(user_id=one.user_id), one.user_cap_micros),
            (Cap.BOT, Owner(bot=one.bot), one.bot_cap_micros),
            (Cap.EVERYBODY, EVERYBODY, one.global_cap_micros),
        )
        set_caps = [(cap, standings[owner], most - one.amount_micros) for cap, owner, most in caps if most is not None]
        if spent := [cap for cap, standing, room in set_caps if standing.spent_micros > room]:
            yield OverBudget(spent[0])
        elif held := [cap for cap, standing, room in set_caps if standing.used_micros > room]:
            yield OverBudget(held[0], may_pass=True)
        else:
            for owner in owners(one.user_id, one.bot):
                standings[owner] = standings[owner].with_reserved(one.amount_micros)
            yield None


def _row(wanted: Wanted, day: date) -> dict[str, object]:
    return {
        "turn_key": wanted.turn_key,
        "fence": wanted.fence,
        "user_id": wanted.user_id,
        "bot": wanted.bot,
        "day": day.isoformat(),
        "amount_micros": wanted.amount_micros,
    }
