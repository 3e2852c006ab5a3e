"""Who asks for access, and the invites that staff have made."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.dev.demo.marks import INVITE_PREFIX
from bot.dev.demo.names import CULTURES
from bot.dev.demo.numbers import Numbers
from bot.models import AccessRequest, Bot
from users.invites import LIFETIME
from users.models import Invite, User

# None of them is due for the purge soon, which takes them 30 days after their end.
LONGEST_AGO_DAYS = 20


def store_requests(seed: int, people: int, bots: Sequence[Bot], now: datetime, taken: set[str]) -> int:
    """Insert requests for access by strangers, some of whom insist; return how many."""
    rng = random.Random(f"{seed}:requests")
    numbers = Numbers(rng, taken)
    requests = []
    for _ in range(max(4, people // 40)):
        culture = rng.choice(CULTURES)
        last = now - timedelta(days=rng.uniform(0.02, LONGEST_AGO_DAYS))
        messages = rng.choice((1, 1, 1, 2, 3, 7))
        first = last - timedelta(hours=rng.uniform(0.1, 60)) if messages > 1 else last
        requests.append(
            AccessRequest(
                bot=rng.choice(bots),
                address=numbers.take(culture.country),
                profile_name=rng.choice(culture.first) if rng.random() < 0.85 else "",
                messages=messages,
                first_seen_at=first,
                last_seen_at=last,
                told_at=first,
            )
        )
    return len(AccessRequest.objects.bulk_create(requests))


def store_invites(seed: int, people: Sequence[User], now: datetime) -> int:
    """Insert invites in every state; return how many.

    They have no codes: whoever could compute one from the seed would be let in.
    """
    rng = random.Random(f"{seed}:invites")
    makers: list[User | None] = [person for person in people if person.is_staff]
    # (note, uses allowed, uses, made so many days ago, revoked)
    plans = (
        ("Poster in the shop window", 200, 37, 3, False),
        ("New colleague", 1, 0, 1, False),
        ("Neighbours' newsletter", 50, 0, 0, False),
        ("For my sister", 1, 1, 9, False),
        ("Open day", 25, 25, 16, False),
        ("Sent to the wrong group", 100, 4, 6, True),
        ("Typo in the note", 1, 0, 12, True),
        ("Trial week", 10, 3, 15, False),
    )
    invites = []
    for note, allowed, uses, ago, revoked in plans:
        made = now - timedelta(days=ago, minutes=rng.randint(30, 600))
        used_up = made + timedelta(hours=rng.randint(1, 24))
        invites.append(
            Invite(
                digest=INVITE_PREFIX + f"{rng.getrandbits(128):032x}",
                note=note,
                max_uses=allowed,
                uses=uses,
                # The last use ends an invite.
                expires_at=used_up if uses == allowed else made + LIFETIME,
                revoked_at=made + timedelta(minutes=25) if revoked else None,
                created_by=rng.choice(makers or [None]),
                created_at=made,
            )
        )
    return len(Invite.objects.bulk_create(invites))
