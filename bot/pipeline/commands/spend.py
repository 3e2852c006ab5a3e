"""/spend: report everybody's costs, for staff who may see them."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.models import Bot
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.wording import called, totals_line
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from config.desk.money import exact
from usage.days import today
from usage.models import DailySpend, UsageRecord
from usage.spending import ALL_BOTS
from usage.standing import Standing
from usage.totals import Totals
from users.models import User
from users.permissions import Permission

DAYS = 30
LISTED = 5


@command("spend", gettext_lazy("what everybody has cost"), order=14, permission=Permission.SEE_SPENDING)
async def show_spending(turn: Turn, services: Services, argument: str) -> str:
    """Return everybody's costs of today and the last 30 days, the budgets, and the most expensive people and bots."""
    return await services.database.run(spending_text)


def spending_text() -> str:
    """Return the report, in seven queries at most, however many people there are."""
    day = today()
    first = day - timedelta(days=DAYS - 1)
    models = UsageRecord.objects.get_global_models(first, day)
    lines = [
        totals_line(_("Today"), UsageRecord.objects.get_global_daily_total(day)),
        totals_line(_("Last 30 days"), sum((row.totals for row in models), Totals())),
        *budget_lines(day),
    ]
    people = UsageRecord.objects.between(first, day).most_expensive_people(LISTED)
    known = User.objects.in_bulk([person for person, _cost in people])
    if people:
        lines += [_("People who cost most in the last 30 days:")]
        lines += [f"· {called(known[person])}: {exact(cost)}" for person, cost in people if person in known]
    paid = [row for row in models if row.totals.cost_micros][:LISTED]
    if paid:
        lines += [_("Models that cost most in the last 30 days:")]
        lines += [f"· {row.model}: {exact(row.totals.cost_micros)}" for row in paid]
    return "\n".join(lines)


def budget_lines(day: date) -> Iterator[str]:
    """Yield the use of everybody's budget and of each bot's on a day, in two queries."""
    bots = Bot.objects.for_people().order_by("slug").values_list("slug", "daily_budget_micros")
    for bot, budget in DailySpend.objects.standings(day, dict(bots)).items():
        if budget.cap_micros is not None:
            yield _line(bot, budget, budget.cap_micros)


def _line(bot: str, budget: Standing, cap_micros: int) -> str:
    facts = {"bot": bot, "used": exact(budget.used_micros), "cap": exact(cap_micros), "percent": budget.percent}
    if bot == ALL_BOTS:
        return _("Today's budget: %(used)s of %(cap)s (%(percent)d%% used)") % facts
    return _("Today's budget of %(bot)s: %(used)s of %(cap)s (%(percent)d%% used)") % facts
