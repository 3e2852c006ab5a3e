"""Write the whole of it, in one transaction: everything is there afterwards, or nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from bot.dev.demo.access_rows import store_invites, store_requests
from bot.dev.demo.bots import BOTS
from bot.dev.demo.figure_rows import store_figures
from bot.dev.demo.inbox_rows import WrittenTurn, plan_inbox, store_inbox
from bot.dev.demo.memory_rows import store_memory
from bot.dev.demo.outbox_rows import plan_outbox, store_outbox
from bot.dev.demo.people import plan_people, store_people
from bot.dev.demo.turns import plan_turns
from bot.dev.demo.usage_rows import store_usage
from bot.models import Bot, Lease
from bot.privacy.retention.periods import MESSAGE_ROW_DAYS
from users.models import Identity, User

# The numbers that are free for fiction are not endless.
MOST_PEOPLE = 5_000
# All of it is held in memory and written in one transaction: 500 people for a year, or 2,000 for 90 days.
MOST_PERSON_DAYS = 200_000
# What the purge would take within hours is not written.
KEPT = timedelta(days=MESSAGE_ROW_DAYS) - timedelta(hours=6)


def seed_demo(*, days: int, people: int, seed: int) -> dict[str, int]:
    """Write demo data of the last `days` days; return how many rows of each kind were made.

    The same seed at the same time makes the same rows. All of it is computed before the first row is
    written, so that SQLite's one lock is held no longer than the inserts take.
    """
    now = timezone.now()
    recent = now - min(KEPT, timedelta(days=days))
    taken = {number for number in User.objects.values_list("phone_number", flat=True) if number}
    personas = plan_people(seed, people, days, now, taken)
    turns = plan_turns(seed, personas, days, now, recent)
    # (The turns are in the order of time.)
    seen = {turn.person: turn.at for turn in turns}
    with transaction.atomic():
        bots, users = _store_bots(now - timedelta(days=days)), store_people(personas, seen)
        shown = [number for number, turn in enumerate(turns) if turn.at > recent]
        written = plan_inbox(seed, [turns[number] for number in shown], users, bots)
        plan_outbox(seed, written, now)
        counts = _store_messages(seed, written, users, bots, recent, now)
        taken |= {persona.number for persona in personas}
        requests = store_requests(seed, people, bots, now, taken)
        invites = store_invites(seed, users, now)
        # Last: it locks everybody's rows of the days, which turns that are answered meanwhile want as well.
        records, spends = store_usage(turns, users, dict(zip(shown, written, strict=True)))
        figures = store_figures(turns)
    return {
        "bots": len(bots),
        "people": len(users),
        "identities": Identity.objects.filter(user__in=users).count() if users else 0,
        **counts,
        "access requests": requests,
        "invites": invites,
        "usage records": records,
        "daily spends": spends,
        "daily figures": figures,
    }


def _store_bots(since: datetime) -> list[Bot]:
    bots = Bot.objects.bulk_create(
        Bot(
            slug=bot.slug,
            name=bot.name,
            channel="console",
            # Without a model of their own they answer with whatever this installation has.
            system_prompt=bot.prompt,
            daily_budget_micros=bot.daily_budget_micros,
            user_daily_budget_micros=bot.user_daily_budget_micros,
        )
        for bot in BOTS
    )
    Bot.objects.filter(pk__in=[bot.pk for bot in bots]).update(created_at=since)
    return bots


def _store_messages(
    seed: int,
    turns: Sequence[WrittenTurn],
    people: Sequence[User],
    bots: Sequence[Bot],
    recent: datetime,
    now: datetime,
) -> dict[str, int]:
    inbound = store_inbox(seed, turns, bots, recent, now)
    outbound = store_outbox(turns)
    conversations, messages = store_memory(turns, people, bots, now)
    return {
        "inbound messages": inbound,
        "outbound messages": outbound,
        "leases": Lease.objects.filter(bot__in=bots).count(),
        "conversations": conversations,
        "conversation messages": messages,
    }
