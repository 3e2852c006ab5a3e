"""The three bots that are seeded: what they are told, when they are busy, and which models answered for them."""

from dataclasses import dataclass, field

from bot.dev.demo.marks import SLUG_PREFIX

# Neither genai-prices nor anybody else knows what a model of one's own costs: its calls have no price.
UNPRICED_MODEL = "house-llama-8b"
# What providers say that answered, where it is not the name that was asked for.
ANSWERS_AS = {"gpt-4.1-mini": "gpt-4.1-mini-2025-04-14", UNPRICED_MODEL: "house-llama-8b-q4"}


@dataclass(frozen=True, slots=True)
class DemoBot:
    """One bot. hours: weights of the 24 hours; weekdays: of Monday to Sunday; models: (name, share in percent)."""

    key: str
    name: str
    prompt: str = field(repr=False)
    hours: tuple[int, ...]
    weekdays: tuple[float, ...]
    models: tuple[tuple[str, int], ...]
    daily_budget_micros: int | None = None
    user_daily_budget_micros: int | None = None

    @property
    def slug(self) -> str:
        """The bot's slug, which also marks it."""
        return f"{SLUG_PREFIX}{self.key}"


BOTS = (
    DemoBot(
        "shop",
        "Shop",
        "You are the assistant of a small shop for bicycles and outdoor gear. Help with sizes, stock, orders "
        "and returns. "
        "Answer in the person's language, in three sentences at most. Never promise a delivery date that you "
        "were not told.",
        hours=(1, 0, 0, 0, 0, 0, 1, 3, 5, 7, 8, 8, 9, 8, 7, 7, 8, 9, 11, 13, 13, 10, 6, 3),
        weekdays=(1.0, 0.95, 0.95, 1.0, 1.2, 1.45, 0.5),
        models=(("gpt-6-luna", 86), ("gpt-6-sol", 14)),
        daily_budget_micros=25_000_000,
    ),
    DemoBot(
        "support",
        "Support",
        "You help the customers of an internet provider with their router, their bill and their contract. Ask "
        "one question at "
        "a time. When somebody is without a connection for more than a day, offer that a colleague calls them.",
        hours=(1, 0, 0, 0, 0, 1, 2, 6, 12, 14, 13, 12, 9, 11, 12, 11, 10, 8, 6, 5, 4, 3, 2, 1),
        weekdays=(1.5, 1.25, 1.15, 1.15, 1.1, 0.45, 0.35),
        models=(("gpt-5-mini", 72), ("gpt-6-luna", 28)),
        user_daily_budget_micros=5_000_000,
    ),
    DemoBot(
        "kitchen",
        "Kitchen",
        "You are a friendly cook. Suggest what can be made of what people have at home, with amounts and times, "
        "and mind what "
        "they cannot eat. Keep it short enough for a phone.",
        hours=(1, 0, 0, 0, 0, 0, 1, 3, 4, 4, 6, 10, 9, 5, 4, 6, 11, 17, 18, 13, 7, 4, 3, 2),
        weekdays=(0.85, 0.85, 0.9, 0.95, 1.15, 1.25, 1.2),
        models=(("gpt-4.1-mini", 80), (UNPRICED_MODEL, 20)),
    ),
)
