"""Who spends how much: the budgets of today, who is near theirs, and the dearest people."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, Min, Sum, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from bot.admin.dashboard import links
from bot.admin.dashboard.words import money
from bot.models import Bot
from usage.alerts import NEARLY_USED_UP, USED_UP
from usage.managers import today
from usage.models import DailySpend, UsageRecord
from usage.owner import OWNER
from users.models import User

# More are told as a number of others.
MOST_PEOPLE = 5
MOST_COUNTED = 1_000
# In this time the dearest people are looked for: a month's calls of a busy installation take seconds to sum up.
PEOPLE_TIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Gauge:
    """How much of a budget is used, spent and reserved together, in micro-dollars."""

    name: str
    used_micros: int
    cap_micros: int
    href: str

    @property
    def percent(self) -> int:
        """The share that is used, 100 at most."""
        return min(self.used_micros * 100 // self.cap_micros, USED_UP) if self.cap_micros > 0 else USED_UP

    @property
    def tone(self) -> str:
        """How it is coloured."""
        return "bad" if self.percent >= USED_UP else "warn" if self.percent >= NEARLY_USED_UP else "good"

    @property
    def words(self) -> str:
        """The amounts in words."""
        return _("%(used)s of %(cap)s") % {"used": money(self.used_micros), "cap": money(self.cap_micros)}


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
    capped = {bot.slug: bot for bot in bots if bot.is_active and bot.daily_budget_micros is not None}
    rows = DailySpend.objects.alias(owner=OWNER).filter(owner=0, bot__in=["", *capped], day=day)
    used = {
        bot: spent + reserved for bot, spent, reserved in rows.values_list("bot", "spent_micros", "reserved_micros")
    }
    gauges = []
    if (cap := settings.DAILY_BUDGET_MICROS) is not None:
        gauges.append(Gauge(_("Everybody together"), used.get("", 0), cap, links.usage(day, day)))
    for slug, bot in capped.items():
        gauges.append(Gauge(str(bot), used.get(slug, 0), bot.daily_budget_micros or 0, links.usage(day, day, bot)))
    return gauges


def people_near_their_budget(bots: list[Bot]) -> tuple[list[Gauge], int]:
    """Return who has used most of their own budget today or all of it, and how many others have. Two queries.

    Whose budget is not their own has that of the strictest bot they have talked to today.
    """
    caps = {bot.slug: bot.user_daily_budget_micros for bot in bots if bot.user_daily_budget_micros is not None}
    by_bot = [When(bot=slug, then=_micros(cap)) for slug, cap in caps.items()]
    default = Min(Case(*by_bot, default=_micros(settings.USER_DAILY_BUDGET_MICROS)))
    records: Any = UsageRecord.objects.between(today(), today()).exclude(user=None)
    spends = records.order_by().values("user").annotate(used=Sum("budget_micros"))
    spends = spends.annotate(cap=Coalesce(F("user__daily_budget_micros"), default, output_field=BigIntegerField()))
    near = spends.filter(used__gte=F("cap") * NEARLY_USED_UP / USED_UP).order_by("-used", "user")
    found = list(near.values_list("user", "used", "cap")[:MOST_COUNTED])
    names = _names([pk for pk, _used, _cap in found[:MOST_PEOPLE]])
    gauges = [Gauge(names[pk], used, cap, links.person(pk)) for pk, used, cap in found[:MOST_PEOPLE] if pk in names]
    return gauges, max(len(found) - MOST_PEOPLE, 0)


def dearest_people(bot: Bot | None = None) -> list[Spender]:
    """Return who has cost most in the last 24 hours, with one bot or with all. Two queries."""
    since, of_bot = timezone.now() - PEOPLE_TIME, {"bot": bot.slug} if bot else {}
    found = UsageRecord.objects.filter(created_at__gte=since, **of_bot).most_expensive_people(MOST_PEOPLE)
    names = _names([pk for pk, _cost in found])
    most = max((cost for _pk, cost in found), default=1)
    return [
        Spender(
            names[pk],
            money(cost),
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
        Spender(model, money(cost), cost * 100 // most, links.usage(first, last, bot, model__exact=model))
        for model, cost in dearest
    ]


def _micros(cap: int | None) -> Cast:
    # (PostgreSQL takes a null without a type for a text.)
    return Cast(Value(cap), BigIntegerField())


def _names(ids: list[int]) -> dict[int, str]:
    return {person.pk: str(person) for person in User.objects.filter(pk__in=ids)}
