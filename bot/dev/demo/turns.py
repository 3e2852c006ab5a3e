"""Plan the turns: who wrote what to which bot and when, over all days, with the rhythm of days and weeks."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.utils import timezone

from bot.dev.demo.bots import BOTS, DemoBot
from bot.dev.demo.people import Persona
from bot.dev.demo.texts import dialogue
from bot.errors import ErrorCode

# Nothing is under way: the last turn has ended before now, receipts included or given up.
QUIET = timedelta(minutes=10)
ANSWERED, FAILED, UNCERTAIN, EXPIRED, DEAD = "answered", "failed", "uncertain", "expired", "dead"
REFUSED = (ErrorCode.RATE_LIMIT_EXCEEDED, ErrorCode.UNSUPPORTED_MESSAGE, ErrorCode.OPENAI_API_ERROR)
RARE = (*REFUSED, FAILED, UNCERTAIN, EXPIRED, DEAD)
RARE_WEIGHTS = (14, 24, 18, 9, 9, 7, 5)
RARE_SHARE = 0.035


@dataclass(frozen=True, slots=True)
class PlannedTurn:
    """One turn. person and bot are indexes. waited_ms: from writing to the beginning of work; model_ms: of the call."""

    at: datetime
    person: int
    bot: int
    language: str
    question: str = field(repr=False)
    answer: str = field(repr=False)
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    waited_ms: int
    model_ms: int
    outcome: str


def plan_turns(seed: int, personas: list[Persona], days: int, now: datetime, recent: datetime) -> list[PlannedTurn]:
    """Return the turns of the last `days` days in the order of time. After `recent` every outcome is there."""
    turns = [turn for persona in personas for turn in _turns_of(seed, persona, days, now)]
    turns.sort(key=lambda turn: (turn.at, turn.person))
    shown = [index for index, turn in enumerate(turns) if turn.at > recent]
    for position, outcome in enumerate(RARE, start=1):
        if len(shown) > len(RARE):
            index = shown[position * len(shown) // (len(RARE) + 1)]
            turns[index] = replace(turns[index], outcome=outcome)
    return turns


def _turns_of(seed: int, persona: Persona, days: int, now: datetime) -> Iterator[PlannedTurn]:
    rng = random.Random(f"{seed}:turns:{persona.index}")
    zone = timezone.get_default_timezone()
    today = now.astimezone(zone).date()
    for ago in reversed(range(days)):
        day = today - timedelta(days=ago)
        home = BOTS[persona.bots[0]]
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for _ in range(_poisson(rng, persona.rate * home.weekdays[day.weekday()])):
            turn = _turn(rng, persona, midnight)
            # Everything is drawn before it is left out, so that the hour at which one seeds changes no other turn.
            if max(persona.since, now - timedelta(days=days)) <= turn.at < min(persona.until, now - QUIET):
                yield turn


def _turn(rng: random.Random, persona: Persona, midnight: datetime) -> PlannedTurn:
    number = persona.bots[0] if rng.random() < 0.8 else persona.bots[1]
    bot = BOTS[number]
    question, answer = dialogue(rng, bot.key, persona.language)
    # What was said before is sent along: up to a handful of exchanges.
    context = len(bot.prompt) // 4 + rng.choice((0, 0, 1, 1, 2, 3, 5, 8)) * rng.randint(90, 260)
    input_tokens = context + len(question) // 4 + 12
    cached = input_tokens // 128 * 128 if input_tokens > 1_024 and rng.random() < 0.7 else 0
    output_tokens = int(len(answer) / 4 * rng.uniform(1.0, 2.6)) + 5
    model_ms = int(350 + output_tokens * rng.uniform(9, 22) + rng.lognormvariate(5.5, 0.7))
    return PlannedTurn(
        at=_moment(rng, bot, midnight),
        person=persona.index,
        bot=number,
        language=persona.language,
        question=question,
        answer=answer,
        model=rng.choices([name for name, _ in bot.models], weights=[share for _, share in bot.models])[0],
        input_tokens=input_tokens,
        cached_tokens=cached,
        output_tokens=output_tokens,
        waited_ms=rng.randint(450, 2_400),
        model_ms=model_ms,
        outcome=rng.choices(RARE, weights=RARE_WEIGHTS)[0] if rng.random() < RARE_SHARE else ANSWERED,
    )


def _moment(rng: random.Random, bot: DemoBot, midnight: datetime) -> datetime:
    (hour,) = rng.choices(range(24), weights=bot.hours)
    seconds = hour * 3_600 + rng.randrange(3_600)
    return midnight + timedelta(seconds=seconds, milliseconds=rng.randrange(1_000))


def _poisson(rng: random.Random, mean: float) -> int:
    """Return how often something happens that happens so often on average."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
