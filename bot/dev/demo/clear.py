"""Take away what was seeded, and nothing else."""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from bot.dev.demo.marks import SLUG_PREFIX, seeded_bots, seeded_calls, seeded_invites, seeded_people
from bot.models import AccessRequest, DailyFigures, InboundMessage, Lease, OutboundMessage
from bot.operations.figures.costs import COSTS, keep_costs
from bot.operations.figures.folding import held_days
from conversations.models import Conversation, Message
from usage.days import today
from usage.models import ClosedDay, DailySpend, SpendAlert, UsageDay, UsageRecord
from usage.spending import EVERYBODY, Changes
from users.models import Identity, User


@transaction.atomic
def clear_demo() -> dict[str, int]:
    """Delete what was seeded; return how many rows of each kind went.

    With a bot goes what anybody has said to it. What real people have paid for with it stays, in their own sums and in
    everybody's: that money was spent.

    Raises:
        LastOwner: no owner would be left, because a seeded person has become the only one.
    """
    people, bots = seeded_people(), seeded_bots()
    numbers = list(people.values())
    chats = Q(bot__in=list(bots)) | Q(address__in=numbers)
    conversations = Conversation.objects.filter(user__in=people)
    counts = {
        "usage records": _take_back_usage(),
        "daily spends": _gone(DailySpend.objects.filter(Q(user__in=people) | Q(bot__startswith=SLUG_PREFIX))),
        "days of usage": _gone(UsageDay.objects.filter(bot__startswith=SLUG_PREFIX)),
        "daily figures": _clear_figures(),
        "budget alerts": _gone(SpendAlert.objects.filter(bot__startswith=SLUG_PREFIX)),
        "conversation messages": _gone(Message.objects.filter(conversation__in=conversations)),
        "conversations": _gone(conversations),
        "outbound messages": _gone(OutboundMessage.objects.filter(chats)),
        "inbound messages": _gone(InboundMessage.objects.filter(chats)),
        "leases": _gone(Lease.objects.filter(chats)),
        "access requests": _gone(AccessRequest.objects.filter(chats)),
        "invites": _gone(seeded_invites()),
        "identities": _gone(Identity.objects.filter(user__in=people)),
        "bots": _gone(bots),
        "people": _gone(User.objects.filter(pk__in=people)),
    }
    return {kind: count for kind, count in counts.items() if count}


def _gone(rows: "QuerySet[Any]") -> int:
    """Delete rows and return how many of them there were (not what went with them)."""
    _, by_model = rows.delete()
    return by_model.get(rows.model._meta.label, 0)


def _take_back_usage() -> int:
    """Delete the seeded calls, and take what they count out of everybody's days; return how many calls there were."""
    calls = seeded_calls()
    kept = set(DailySpend.objects.filter(user=None, bot="").values_list("day", flat=True))
    changes = Changes()
    for day, micros in calls.order_by().values_list("budget_day").annotate(counted=Sum("budget_micros")):
        # (A day that was purged must not come back, below nothing.)
        if day in kept and micros:
            changes.add(EVERYBODY.user_id, EVERYBODY.bot, day, spent=-micros)
    days = [row["day"] for row in changes.rows()]
    DailySpend.objects.apply(changes)
    called = set(calls.order_by().values_list("budget_day", flat=True))
    gone = _gone(calls)
    ClosedDay.objects.reopen(day for day in called if day)
    # A day on which nobody else has spent anything was made by the seeding.
    empty = DailySpend.objects.filter(user=None, bot="", day__in=days, spent_micros=0, reserved_micros=0)
    used = UsageRecord.objects.filter(budget_day__in=days).order_by().values("budget_day")
    empty.exclude(day__in=used).delete()
    return gone


def _clear_figures() -> int:
    """Delete the figures of the seeded bots, and of all bots together what can be counted anew or was theirs alone."""
    seeded = DailyFigures.objects.filter(bot__startswith=SLUG_PREFIX)
    days = set(seeded.values_list("day", flat=True))
    gone = seeded.delete()[0]
    shared = set(DailyFigures.objects.exclude(bot="").filter(day__in=days).values_list("day", flat=True))
    wrong = {*(days - shared), *held_days(), today()}
    gone += DailyFigures.objects.of("").filter(day__in=wrong).delete()[0]
    # What the seeded calls have cost is in the others by now.
    others = shared - wrong
    DailyFigures.objects.of("").filter(day__in=others).update(**dict.fromkeys(COSTS, 0) | {"costs": {}})
    keep_costs(others, held_days())
    # (Copies, made anew when somebody asks.)
    ClosedDay.objects.filter(lines=[]).delete()
    return gone
