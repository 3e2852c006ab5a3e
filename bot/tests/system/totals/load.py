"""Many people, several bots, models with and without prices, budgets that refuse some, and providers that fail."""

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.dev.standins.faults import Fault
from bot.tests.support.factories import (
    ACCESS_TOKEN,
    APP_SECRET,
    VERIFY_TOKEN,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.totals.books import ASSUMED_MICROS, PRICES

LONG = "A long answer. " * 280  # 4,200 characters: two parts
MODEL_FAULTS: tuple[Fault, ...] = (
    (0.04, {"status": 500, "json": {"error": {"message": "Not now", "code": "server_error"}}}),
    (0.02, {"status": 429, "headers": {"Retry-After": "1"}, "json": {"error": {"message": "Slower", "code": "slow"}}}),
    (0.03, {"raw": "<html>garbage</html>"}),
    (0.02, {"empty": True}),
    (0.02, {"reset": True}),
    (0.04, {"text": " "}),  # an answer with nothing in it, which is billed
    (0.04, {"text": LONG}),
    (0.79, {"delay": [0.0, 0.4]}),
)


def _graph(status: int, code: int) -> dict[str, object]:
    return {"status": status, "json": {"error": {"message": "Not now", "type": "OAuthException", "code": code}}}


CHANNEL_FAULTS: tuple[Fault, ...] = (
    (0.02, _graph(500, 131016)),  # for now
    (0.02, _graph(400, 131026)),  # for good
    (0.01, {"status": 502, "raw": "Bad gateway"}),
    (0.01, {"reset": True}),
    (0.3, {"delay": [0.0, 0.1]}),
)
# Slug → (account id, model, the bot's budget, its budget of each person), in micro-dollars.
# The kiosk's is less than all it is asked would cost.
BOTS = {
    "cafe": ("900000001", "", None, None),
    "desk": ("900000002", "house-blend", None, None),
    "lab": ("900000003", "gpt-6-sol", None, 20_000),
    "kiosk": ("900000004", "gpt-6-luna", 1_000, None),
}
POOR_CAP = 700
# The dearest of them reserves about 600: it leaves the poor room for one call or two.
LONGEST_ANSWER_TOKENS = 1_100
WINDOW = 40
WORDS = ("ein Brötchen", "two coffees, please", "what do you have today?", "вода", "the usual")

SEED = """
from bot.models import Bot
from usage.days import today
from usage.models import ModelPrice
from users.models import User
for slug, (account, model, budget, each) in {bots!r}.items():
    Bot.objects.create(slug=slug, name=slug.title(), channel="whatsapp", account_id=account, model=model,
        daily_budget_micros=budget, user_daily_budget_micros=each, credentials={{
        "app_secret": {secret!r}, "access_token": {token!r}, "verify_token": {verify!r}}})
for model, (full, cached, output) in {prices!r}.items():
    ModelPrice.objects.create(model=model, valid_from=today(), input_micros_per_million=full,
        cached_input_micros_per_million=cached, output_micros_per_million=output)
for number, cap in {people!r}.items():
    User.objects.create_user(number, is_whitelisted=True, daily_budget_micros=cap)
"""


@dataclass(slots=True)
class Load:
    """Messages to be delivered, so that each is a turn of its own, and what was delivered: id → (person, bot).

    highest: by (person, bot), the most that was spent and reserved at any look.
    """

    system: System
    people: dict[str, int | None]
    cap: int
    waiting: deque[tuple[str, str, str]]
    delivered: dict[str, tuple[str, str]] = field(default_factory=dict)
    highest: Counter[tuple[str, str]] = field(default_factory=Counter)
    looks: int = 0

    def deliver_all(self, until: Callable[[], bool] = lambda: False, seconds: float = 600) -> None:
        """Deliver what waits, a message of a chat after the one before it has come to its end; until says when to stop.

        Raises:
            AssertionError: the messages did not come to their end.
        """
        wait_for(lambda: until() or self._step(), "every message's end", seconds)

    def _step(self) -> bool:
        """Look at the sums, deliver what there is room for, and return whether all is at its end."""
        self._look()
        pending = self.system.rows(
            "SELECT m.address, b.slug FROM bot_inboundmessage m JOIN bot_bot b ON b.id = m.bot_id "
            "WHERE m.state = 'pending'"
        )
        busy = set(pending)
        held_back: list[tuple[str, str, str]] = []
        chosen: list[tuple[str, str, str]] = []
        while self.waiting and len(pending) + len(chosen) < WINDOW:
            person, bot, text = self.waiting.popleft()
            if (person, bot) in busy:
                held_back.append((person, bot, text))
                continue
            busy.add((person, bot))
            chosen.append((person, bot, text))
        self.waiting.extendleft(reversed(held_back))
        self._deliver(chosen)
        return not self.waiting and not pending and not chosen

    def _deliver(self, chosen: list[tuple[str, str, str]]) -> None:
        values = []
        for person, bot, text in chosen:
            name = f"wamid.in{len(self.delivered)}"
            # (A command stands alone; a question begins with its name.)
            said = text if text.startswith("/") else f"{name} {text}"
            message = whatsapp_message(said, person, id=name)
            values.append(whatsapp_value(account=BOTS[bot][0], messages=[message]))
            self.delivered[name] = (person, bot)
        if values:
            assert self.system.post(whatsapp_body(*values)) == 200

    def _look(self) -> None:
        for person, bot, sum in self.system.rows(
            "SELECT COALESCE(u.phone_number, ''), s.bot, s.spent_micros + s.reserved_micros "
            "FROM usage_dailyspend s LEFT JOIN users_user u ON u.id = s.user_id"
        ):
            self.highest[person, bot] = max(self.highest[person, bot], sum)
        self.looks += 1

    def exceeded(self, allowed: Mapping[tuple[str, str], int]) -> list[tuple[str, str]]:
        """Return whose cap was exceeded at any look, by more than is allowed for them (micro-dollars)."""
        caps = {(number, ""): cap for number, cap in self.people.items()}
        caps |= {("", slug): budget for slug, (_, _, budget, _) in BOTS.items()} | {("", ""): self.cap}
        return [
            who
            for who, highest in self.highest.items()
            if (cap := caps[who]) is not None and highest > cap + allowed.get(who, 0)
        ]

    def ends(self) -> Counter[str]:
        """Return how many messages came to which end: the code of an error, or "" for an answer."""
        return Counter(code for (code,) in self.system.rows("SELECT error_code FROM bot_inboundmessage"))


@contextmanager
def loaded_system(folder: Path, turns: int, seed: int) -> Iterator[Load]:
    """Yield a system with a web process and so many turns to be delivered, and no worker yet."""
    chance = random.Random(seed)
    # Every fifth has little, one has nothing: they are refused most of the time.
    numbers = [f"+4915160000{number:03}" for number in range(min(25, max(turns // 8, 1)))]
    people = {
        number: (POOR_CAP if place % 5 == 1 else 0 if place == 7 else None) for place, number in enumerate(numbers)
    }
    chats = [(number, bot) for bot in BOTS for number in numbers]
    chance.shuffle(chats)
    waiting = deque((*chats[turn % len(chats)], _text(chance)) for turn in range(turns))
    # Less than all of it would cost, one after the other too (on a busy machine): the last are refused.
    cap = 40 * turns
    environment = {
        "DAILY_BUDGET_USD": f"{cap / 1_000_000:f}",
        "MAX_MODEL_TOKENS": "256",
        "MAX_REPLY_TOKENS": str(LONGEST_ANSWER_TOKENS),
        "UNPRICED_COST_USD_PER_MILLION": f"{ASSUMED_MICROS / 1_000_000:f}",
    }
    with running_system(folder, environment=environment) as system:
        words = {"secret": APP_SECRET, "token": ACCESS_TOKEN, "verify": VERIFY_TOKEN}
        system.manage(
            "shell", "--verbosity", "0", "--command", SEED.format(bots=BOTS, prices=PRICES, people=people, **words)
        )
        system.model.faults(MODEL_FAULTS, seed)
        system.whatsapp.faults(CHANNEL_FAULTS, seed)
        system.start_web()
        yield Load(system, people, cap, waiting)


def _text(chance: random.Random) -> str:
    if chance.random() < 0.1:
        return chance.choice(("/usage", "/help", "/reset"))
    return f"{chance.choice(WORDS)} " * chance.randint(1, 6)
