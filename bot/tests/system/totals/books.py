"""The books of a run: every call as the provider billed it, every call as it was recorded, and the sums of the day.

What was billed is counted in the stand-in's own log, and priced here anew: nothing of the code under test helps.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from bot.tests.support.processes import System

# In micro-dollars for a million tokens: input, cached input, output. Another model has no price.
PRICES = {"gpt-6-luna": (1_000_000, 100_000, 100_000), "gpt-6-sol": (2_000_000, 2_000_000, 300_000)}
# What a million tokens of a model without a price are taken to cost.
ASSUMED_MICROS = 500_000


class Call(NamedTuple):
    """One paid call: the first message of its turn, who wrote it to which bot, tokens, cost and what it counts."""

    turn: str
    person: str
    bot: str
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_micros: int | None
    counted_micros: int


@dataclass(frozen=True, slots=True)
class Books:
    """What was billed and what was recorded (how often each call), and the day's sums of (person, bot).

    spent: what the rows of days say; held: what they have reserved, and how many reservations there are.
    """

    billed: Counter[Call]
    recorded: Counter[Call]
    spent: dict[tuple[str, str], int]
    held: list[Any] = field(default_factory=list)

    @property
    def unrecorded(self) -> Counter[Call]:
        """What was billed and is not recorded."""
        return self.billed - self.recorded

    def paid_again(self) -> dict[tuple[str, str], int]:
        """Return what calls count beyond the cheapest of their turn.

        A worker that lives and has lost its chat goes on waiting for the model. Its call is paid and counted; what is
        reserved for the turn by then is for the call of who took the chat over.
        """
        calls: dict[str, list[Call]] = defaultdict(list)
        for call in self.recorded.elements():
            calls[call.turn].append(call)
        again: Counter[Call] = Counter()
        for of_turn in calls.values():
            again.update(sorted(of_turn, key=lambda call: call.counted_micros)[1:])
        return sums(again)

    def check(self) -> None:
        """Fail unless every sum follows from what is recorded, and nothing is recorded that was not billed.

        Raises:
            AssertionError: with what does not agree.
        """
        assert not self.recorded - self.billed, f"recorded and not billed: {self.recorded - self.billed}"
        assert self.spent == sums(self.recorded)
        assert not self.held, f"still reserved: {self.held}"


def sums(calls: Counter[Call]) -> dict[tuple[str, str], int]:
    """Return what calls count: by person, by bot, and of all."""
    totals: Counter[tuple[str, str]] = Counter()
    for call, times in calls.items():
        for owner in ((call.person, ""), ("", call.bot), ("", "")):
            totals[owner] += call.counted_micros * times
    return {owner: total for owner, total in totals.items() if total}


def books_of(system: System, delivered: Mapping[str, tuple[str, str]]) -> Books:
    """Return the books; delivered: external id → (person, bot). Each question begins with its external id."""
    rows = system.rows(
        "SELECT COALESCE(u.phone_number, ''), s.bot, s.spent_micros, s.reserved_micros "
        "FROM usage_dailyspend s LEFT JOIN users_user u ON u.id = s.user_id"
    )
    spent: Counter[tuple[str, str]] = Counter()
    for person, bot, micros, _ in rows:  # (of two days, if midnight came meanwhile)
        spent[person, bot] += micros
    held = [row for row in rows if row[3]] + system.rows("SELECT turn_key, amount_micros FROM usage_reservation")
    return Books(billed(system, delivered), recorded(system), {who: sum for who, sum in spent.items() if sum}, held)


def billed(system: System, delivered: Mapping[str, tuple[str, str]]) -> Counter[Call]:
    """Return every call that the stand-in answered with a usage."""
    calls: Counter[Call] = Counter()
    for request in system.model.requests():
        if usage := request["billed"]:
            turn = request["body"]["messages"][-1]["content"].split()[0]
            tokens = usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"], usage["completion_tokens"]
            calls[Call(turn, *delivered[turn], request["body"]["model"], *tokens, *_costs(request, *tokens))] += 1
    return calls


def recorded(system: System) -> Counter[Call]:
    """Return every usage record."""
    rows = system.rows(
        "SELECT m.external_id, u.phone_number, r.bot, r.model, r.input_tokens, r.cached_input_tokens, "
        "r.output_tokens, r.cost_micros, r.budget_micros FROM usage_usagerecord r "
        "LEFT JOIN bot_inboundmessage m ON m.id = r.turn_key LEFT JOIN users_user u ON u.id = r.user_id"
    )
    return Counter(Call(*row) for row in rows)


def _costs(request: Mapping[str, Any], tokens_in: int, cached: int, tokens_out: int) -> tuple[int | None, int]:
    """Return what a call costs, if its model has a price, and what it counts."""
    rates = PRICES.get(request["body"]["model"])
    if rates is None:
        return None, -(-(tokens_in + tokens_out) * ASSUMED_MICROS // 1_000_000)
    exact = Decimal((tokens_in - cached) * rates[0] + cached * rates[1] + tokens_out * rates[2]) / 1_000_000
    cost = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    return cost, cost
