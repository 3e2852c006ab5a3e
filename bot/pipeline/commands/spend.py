"""/spend: what everybody has cost, for those who may see it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.models import Bot
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.wording import called, totals_line
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from usage.managers import Totals, today
from usage.models import DailySpend, UsageRecord
from usage.owner import OWNER
from usage.pricing import dollars
from users.models import User
from users.permissions import Permission

DAYS = 30
LISTED = 5
# The key of everybody's spend with all bots.
ALL_BOTS = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """The daily budget of a bot, or of all, and what is spent of it and reserved, in micro-dollars."""

    bot: str
    cap_micros: int
    used_micros: int

    @property
    def line(self) -> str:
        """How much of it is used; of a budget of nothing, all is."""
        percent = 100 * self.used_micros // self.cap_micros if self.cap_micros else 100
        facts = {
            "bot": self.bot,
            "used": dollars(self.used_micros),
            "cap": dollars(self.cap_micros),
            "percent": percent,
        }
        if self.bot == ALL_BOTS:
            return _("Today's budget: %(used)s of %(cap)s (%(percent)d%% used)") % facts
        return _("Today's budget of %(bot)s: %(used)s of %(cap)s (%(percent)d%% used)") % facts


@command("spend", gettext_lazy("what everybody has cost"), order=14, permission=Permission.SEE_SPENDING)
async def show_spending(turn: Turn, services: Services, argument: str) -> str:
    """Return what all people have cost today and in the last 30 days, the budgets, and who and what cost most."""
    return await services.database.run(spending_text)


def spending_text() -> str:
    """Return everybody's usage in words. Seven queries at most, however many people there are."""
    day = today()
    first = day - timedelta(days=DAYS - 1)
    models = UsageRecord.objects.get_global_models(first, day)
    lines = [
        totals_line(_("Today"), UsageRecord.objects.get_global_daily_total(day)),
        totals_line(_("Last 30 days"), sum((row.totals for row in models), Totals())),
        *(budget.line for budget in budgets_of(day)),
    ]
    people = UsageRecord.objects.between(first, day).most_expensive_people(LISTED)
    known = User.objects.in_bulk([person for person, _cost in people])
    if people:
        lines += [_("People who cost most in the last 30 days:")]
        lines += [f"· {called(known[person])}: {dollars(cost)}" for person, cost in people if person in known]
    paid = [row for row in models if row.totals.cost_micros][:LISTED]
    if paid:
        lines += [_("Models that cost most in the last 30 days:")]
        lines += [f"· {row.model}: {dollars(row.totals.cost_micros)}" for row in paid]
    return "\n".join(lines)


def budgets_of(day: date) -> list[Budget]:
    """Return everybody's budget and those of the bots that have one, as far as they are used on a day. Two queries."""
    bots = (
        Bot.objects.for_people()
        .exclude(daily_budget_micros=None)
        .order_by("slug")
        .values_list("slug", "daily_budget_micros")
    )
    caps = {} if settings.DAILY_BUDGET_MICROS is None else {ALL_BOTS: settings.DAILY_BUDGET_MICROS}
    caps |= {slug: cap for slug, cap in bots if cap is not None}
    everybodys = DailySpend.objects.alias(owner=OWNER).filter(owner=0, day=day, bot__in=caps)
    used = dict(everybodys.values_list("bot", F("spent_micros") + F("reserved_micros")))
    return [Budget(slug, cap, used.get(slug, 0)) for slug, cap in caps.items()]
