"""Who spends how much: the budgets of today, who is near theirs, and the dearest people."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import BigIntegerField, F, Value
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from bot.admin.dashboard import links
from bot.models import Bot
from config.desk.money import short
from usage.days import today
from usage.models import DailySpend, UsageRecord
from usage.spending import ALL_BOTS
from usage.standing import Standing, nearly_all
from users.models import User

# More are told as a number of others.
MOST_PEOPLE = 5
MOST_COUNTED = 1_000
# In this time the dearest people are looked for: a month's calls of a busy installation take seconds to sum up.
PEOPLE_TIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Gauge:
    """How a budget stands, whose it is, and the list behind it."""

    name: str
    budget: Standing
    href: str

    @property
    def words(self) -> str:
        """The amounts in words."""
        amounts = {"used": short(self.budget.used_micros), "cap": short(self.budget.cap_micros or 0)}
        return _("%(used)s of %(cap)s") % amounts


@dataclass(frozen=True, slots=True)
class Spender:
    """What something or somebody has cost, and the list behind it."""

    name: str
    amount: str
    share: int
    href: str


def budgets(bots: list[Bot]) -> list[Gauge]:
    """Return how everybody's budget of today stands, if there is one, and each bot's that has one. One query."""
    day = today()
    named = {bot.slug: bot for bot in bots if bot.is_active}
    standings = DailySpend.objects.standings(day, {slug: bot.daily_budget_micros for slug, bot in named.items()})
    return [
        Gauge(str(named[slug]) if slug else _("Everybody together"), budget, links.usage(day, day, named.get(slug)))
        for slug, budget in standings.items()
        if budget.cap_micros is not None
    ]


def people_near_their_budget(bots: list[Bot]) -> tuple[list[Gauge], int]:
    """Return who has used most of their own budget today or all of it, and how many others have. Two or three queries.

    Whose budget is not their own has that of the strictest bot they have talked to today.
    """
    caps = {bot.slug: bot.user_daily_budget_micros for bot in bots if bot.user_daily_budget_micros is not None}
    usual = settings.USER_DAILY_BUDGET_MICROS
    least = min([*caps.values(), *([] if usual is None else [usual])], default=None)
    spends = DailySpend.objects.filter(day=today(), user__isnull=False, bot=ALL_BOTS).annotate(
        used=F("spent_micros") + F("reserved_micros"),
        cap=Coalesce(F("user__daily_budget_micros"), Cast(Value(least), BigIntegerField())),
    )
    near = spends.filter(used__gte=nearly_all(F("cap"))).order_by("-used", "user")
    rows = list(near.values_list("user", "user__daily_budget_micros", "spent_micros", "reserved_micros")[:MOST_COUNTED])
    of_bots = _strictest([pk for pk, own, *_sums in rows if own is None], caps) if caps else {}
    standings = [(pk, Standing(of_bots.get(pk, usual) if own is None else own, *sums)) for pk, own, *sums in rows]
    found = [(pk, budget) for pk, budget in standings if budget.tone in ("warn", "bad")]
    names = _names([pk for pk, _budget in found[:MOST_PEOPLE]])
    gauges = [Gauge(names[pk], budget, links.person(pk)) for pk, budget in found[:MOST_PEOPLE] if pk in names]
    return gauges, max(len(found) - MOST_PEOPLE, 0)


def _strictest(people: list[int | None], caps: dict[str, int]) -> dict[int | None, int]:
    """Return the smallest budget that the bots give which people have talked to today."""
    found: dict[int | None, int] = {}
    records = UsageRecord.objects.between(today(), today()).filter(user__in=people).order_by()
    for person, bot in records.values_list("user", "bot").distinct():
        cap = caps.get(bot, settings.USER_DAILY_BUDGET_MICROS)
        if cap is not None:
            found[person] = min(cap, found.get(person, cap))
    return found


def dearest_people(bot: Bot | None = None) -> list[Spender]:
    """Return who has cost most in the last 24 hours, with one bot or with all. Two queries."""
    since, of_bot = timezone.now() - PEOPLE_TIME, {"bot": bot.slug} if bot else {}
    found = UsageRecord.objects.filter(created_at__gte=since, **of_bot).most_expensive_people(MOST_PEOPLE)
    names = _names([pk for pk, _cost in found])
    most = max((cost for _pk, cost in found), default=1)
    return [
        Spender(
            names[pk],
            short(cost),
            cost * 100 // most,
            links.calls(bot, created_at__gte=since.isoformat(), user__id__exact=pk),
        )
        for pk, cost in found
        if pk in names
    ]


def dearest_models(costs: dict[str, int], days: int, bot: Bot | None) -> list[Spender]:
    """Return the models that have cost most. costs: {model: micro-dollars}, the dearest first. No query."""
    last = today()
    first = last - timedelta(days=days - 1)
    # (Nothing: of no known price, or free.)
    dearest = [(model, cost) for model, cost in costs.items() if cost > 0][:MOST_PEOPLE]
    most = max((cost for _model, cost in dearest), default=1)
    return [
        Spender(model, short(cost), cost * 100 // most, links.usage(first, last, bot, model__exact=model))
        for model, cost in dearest
    ]


def _names(ids: list[int]) -> dict[int, str]:
    return {person.pk: str(person) for person in User.objects.filter(pk__in=ids)}
