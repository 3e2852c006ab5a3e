"""Write the whole of it: rows that staff would make are inserted, what people write goes through the real pipeline."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from bot.dev.demo.access_rows import store_invites, store_requests
from bot.dev.demo.bots import BOTS
from bot.dev.demo.clear import clear_demo
from bot.dev.demo.drive import Driver
from bot.dev.demo.marks import SLUG_PREFIX, seeded_calls
from bot.dev.demo.people import plan_people, store_people
from bot.dev.demo.turns import plan_turns
from bot.models import Bot, DailyFigures, InboundMessage, Lease, OutboundMessage
from bot.operations.figures.folding import fold_minute, held_days
from bot.operations.purge import purge_expired
from bot.privacy.retention.periods import MESSAGE_ROW_DAYS
from conversations.models import Conversation, Message
from usage.models import ClosedDay, DailySpend
from users.models import Identity, User

# The numbers that are free for fiction are not endless.
MOST_PEOPLE = 5_000
# Somebody writes once a day or so, and a turn takes some hundredths of a second: ten minutes or so.
MOST_PERSON_DAYS = 20_000
# What the purge would take within hours shows no outcome that is rare.
KEPT = timedelta(days=MESSAGE_ROW_DAYS) - timedelta(hours=6)


def seed_demo(*, days: int, people: int, seed: int) -> dict[str, int]:
    """Write demo data of the last `days` days; return how many rows of each kind are there.

    The same seed at the same time makes the same rows. A day is committed when all of it has come to its end: workers
    find nothing to do. What fails is taken away again.
    """
    now = timezone.now()
    taken = {number for number in User.objects.values_list("phone_number", flat=True) if number}
    personas = plan_people(seed, people, days, now, taken)
    turns = plan_turns(seed, personas, days, now, now - min(KEPT, timedelta(days=days)))
    others = _figures_of_others()
    try:
        with transaction.atomic():
            bots, users = _store_bots(now - timedelta(days=days)), store_people(personas)
        Driver(seed, users, now).drive(turns)
        with transaction.atomic():
            User.objects.filter(pk__in=[users[one.index].pk for one in personas if one.blocked]).update(
                is_whitelisted=False
            )
            ClosedDay.objects.reopen((now - timedelta(days=ago)).date() for ago in range(-1, days + 2))
            store_requests(seed, people, bots, now, taken | {persona.number for persona in personas})
            store_invites(seed, users, now)
    except BaseException:
        clear_demo()
        raise
    # As the nights would have: what is too old to be kept has only been counted.
    purge_expired()
    for figures in others:
        figures.save()
    fold_minute()
    return _counts(users)


def _figures_of_others() -> list[DailyFigures]:
    """Return what others have used on days that cannot be counted any more, which is not what was made up."""
    rows = DailyFigures.objects.of("").exclude(day__in=held_days())
    return list(rows.filter(received__gt=0) | rows.filter(sent__gt=0))


def _counts(users: list[User]) -> dict[str, int]:
    bots = Bot.objects.filter(slug__startswith=SLUG_PREFIX)
    conversations = Conversation.objects.filter(user__in=users)
    return {
        "bots": len(bots),
        "people": len(users),
        "identities": Identity.objects.filter(user__in=users).count(),
        "inbound messages": InboundMessage.objects.filter(bot__in=bots).count(),
        "outbound messages": OutboundMessage.objects.filter(bot__in=bots).count(),
        "leases": Lease.objects.filter(bot__in=bots).count(),
        "conversations": len(conversations),
        "conversation messages": Message.objects.filter(conversation__in=conversations).count(),
        "usage records": seeded_calls().count(),
        "daily spends": DailySpend.objects.filter(user__in=users).count(),
        "daily figures": DailyFigures.objects.filter(bot__startswith=SLUG_PREFIX).count(),
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
