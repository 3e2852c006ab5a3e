"""/usage: report a person's usage, and what is left of their budget."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.wording import totals_line
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from config.desk.money import exact
from usage.budgets import left_today, user_cap
from usage.models import UsageRecord
from users.models import User


@command("usage", gettext_lazy("what you have used today and in the last 30 days"), order=3)
async def show_usage(turn: Turn, services: Services, argument: str) -> str:
    """Return today's and the last 30 days' usage of the person."""
    if turn.user is None:  # never: commands come after access
        return ""
    return await services.database.run(usage_text, turn.user, turn.bot.user_daily_budget_micros)


def usage_text(user: User, bots_default: int | None) -> str:
    """Return a person's usage in words, and what is left of their budget if they have one.

    bots_default: the bot's daily budget for each person, in micro-dollars.
    """
    today = UsageRecord.objects.get_daily_total(user, timezone.localdate())
    month = UsageRecord.objects.get_user_stats(user, 30).total
    lines = ((_("Today"), today), (_("Last 30 days"), month))
    said = [totals_line(label, totals) for label, totals in lines]
    cap = user_cap(user, bots_default)
    if cap is not None:
        left = {"left": exact(left_today(user.pk, cap)), "budget": exact(cap)}
        said.append(_("Left for today: %(left)s of %(budget)s") % left)
    return "\n".join(said)
