"""Plan the people: what they are called, how much they write and to whom, and what they may do."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.dev.demo.bots import BOTS
from bot.dev.demo.marks import PASSWORD
from bot.dev.demo.names import CULTURES
from bot.dev.demo.numbers import Numbers
from users.models import Identity, Role, User

ADMIN_EVERY, BLOCKED_EVERY, BUDGET_EVERY, BSUID_EVERY = 60, 17, 9, 6
# Micro-dollars a day: far above what the seeded days come to, so that no budget looks exceeded.
BUDGETS = (500_000, 1_000_000, 2_000_000, 5_000_000)


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who does not exist. rate: turns on a usual day; bots: the one they use most, and perhaps another.

    They write from `since` until `until`: those who are blocked by now have stopped before.
    """

    index: int
    name: str
    number: str
    language: str
    rate: float
    bots: tuple[int, int]
    since: datetime
    until: datetime
    role: str
    blocked: bool
    budget_micros: int | None
    bsuid: str


def plan_people(seed: int, count: int, days: int, now: datetime, taken: Collection[str]) -> list[Persona]:
    """Return so many people, the same ones for the same seed."""
    numbers = Numbers(random.Random(f"{seed}:numbers"), taken)
    return [_persona(random.Random(f"{seed}:person:{index}"), index, numbers, days, now) for index in range(count)]


def _persona(rng: random.Random, index: int, numbers: Numbers, days: int, now: datetime) -> Persona:
    (culture,) = rng.choices(CULTURES, weights=[one.weight for one in CULTURES])
    # Most have been there from the beginning; the others came one by one, so that use grows.
    since = now - timedelta(days=days if rng.random() < 0.55 else days * rng.random())
    admin = index % ADMIN_EVERY == 7
    blocked = not admin and index % BLOCKED_EVERY == 11
    until = now - timedelta(days=rng.uniform(0.1, 0.4) * days) if blocked else now
    return Persona(
        index=index,
        name=f"{rng.choice(culture.first)} {rng.choice(culture.last)}",
        number=numbers.take(culture.country),
        language=culture.language,
        # A few write a lot, most now and then.
        rate=min(rng.lognormvariate(0.0, 0.8), 8.0),
        bots=(rng.choices(range(len(BOTS)), weights=(45, 35, 20))[0], rng.randrange(len(BOTS))),
        since=since,
        until=until,
        role=Role.ADMIN if admin else Role.USER,
        blocked=blocked,
        budget_micros=rng.choice(BUDGETS) if index % BUDGET_EVERY == 4 else None,
        # (No provider's id begins so: it can be nobody's.)
        bsuid=f"{culture.country}.DEMO{rng.randrange(10**12):012}" if index % BSUID_EVERY == 1 else "",
    )


def store_people(personas: list[Persona]) -> list[User]:
    """Insert the people, none of whom can sign in, and the ids that WhatsApp knows some by. Nobody is blocked yet."""
    people = []
    for persona in personas:
        person = User(
            phone_number=persona.number,
            name=persona.name,
            password=PASSWORD,
            is_whitelisted=True,
            daily_budget_micros=persona.budget_micros,
            created_at=persona.since,
        )
        person.set_role(persona.role)
        people.append(person)
    people = User.objects.bulk_create(people, batch_size=500)
    Identity.objects.bulk_create(
        Identity(user=person, channel="whatsapp", address=persona.bsuid, created_at=persona.since)
        for person, persona in zip(people, personas, strict=True)
        if persona.bsuid
    )
    return people
