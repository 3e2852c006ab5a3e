"""Budget alerts to owners, for everybody's and each bot's daily budget, each threshold once a day."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext as _

from bot.errors import ErrorCode
from bot.models import Bot, InboundMessage
from bot.queue.notices import notify_owners
from config.desk.money import exact
from usage.days import day_start, today
from usage.models import DailySpend, SpendAlert
from usage.spending import ALL_BOTS
from usage.standing import USED_UP, Standing, reached

logger = logging.getLogger(__name__)

# (key, lazy text) -> how many owners were notified; once per key.
Notify = Callable[[str, str | Promise], int]

# Refusals are searched among the newest messages, as the inbox has no index on times or reasons.
NEWEST_MESSAGES = 1_000
REFUSED_BY_EVERYBODYS = str(ErrorCode.GLOBAL_BUDGET_EXCEEDED)
REFUSED_BY_BOTS = str(ErrorCode.BOT_BUDGET_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Alert:
    """A budget that has reached a threshold not alerted today. bot, name: of its bot."""

    bot: str
    name: str
    budget: Standing
    day: date
    percent: int

    @property
    def scope(self) -> str:
        """The budget's owner, for keys and logs."""
        return self.bot or "everybody"

    @property
    def key(self) -> str:
        """The unique key of this alert."""
        return f"budget:{self.scope}:{self.day}:{self.percent}"

    @property
    def text(self) -> str:
        """The text for owners, in the active language."""
        amounts = {
            "percent": self.percent,
            "cap": exact(self.budget.cap_micros or 0),
            "spent": exact(self.budget.spent_micros),
        }
        if self.percent < USED_UP:
            said = _("%(percent)d %% of today's budget of %(cap)s is used (%(spent)s).") % amounts
        else:
            until = {**amounts, "zone": settings.TIME_ZONE}
            said = (
                _("Today's budget of %(cap)s is used (%(spent)s).") % amounts
                + " "
                + _("The budget is used up: nobody is answered until tomorrow 00:00 (%(zone)s).") % until
            )
        return f"{self.name}: {said}" if self.name else said


def _text(alert: Alert) -> str:
    return alert.text


_lazy_text = lazy(_text, str)


def raise_alerts(notify: Notify = notify_owners) -> int:
    """Raise an alert for each budget that has reached 50, 80 or 100 % today; return how many were raised.

    Each is raised once a day, also with concurrent processes; after a jump only the highest. Recording an alert and its
    notification are one transaction; a failed one is retried the next time, and does not delay others.
    """
    day = today()
    raised = 0
    for alert in _due(day):
        try:
            raised += _raise(alert, notify)
        except Exception:
            logger.exception("budget_alert_failed", extra={"budget": alert.scope, "percent": alert.percent})
    return raised


def _raise(alert: Alert, notify: Notify) -> bool:
    with transaction.atomic():
        if not SpendAlert.objects.claim(alert.bot, alert.day, alert.percent):
            return False
        notify(alert.key, _lazy_text(alert))
    facts: dict[str, Any] = {
        "budget": alert.scope,
        "percent": alert.percent,
        "spent_micros": alert.budget.spent_micros,
        "cap_micros": alert.budget.cap_micros,
    }
    if alert.percent >= USED_UP:
        logger.error("budget_alert", extra=facts)
    else:
        logger.warning("budget_alert", extra=facts)
        _report(facts)
    return True


def _report(facts: dict[str, Any]) -> None:
    """Report a warning to Sentry, whose logging integration ignores warnings."""
    # Late import: most processes never report anything.
    import sentry_sdk

    with sentry_sdk.new_scope() as scope:
        scope.set_context("budget", facts)
        scope.set_level("warning")
        sentry_sdk.capture_message("budget_alert")


def _due(day: date) -> Iterator[Alert]:
    """Yield the alerts that are due and not raised yet; at most four queries."""
    bots = {bot.slug: bot for bot in Bot.objects.for_people().filter(is_active=True, daily_budget_micros__gt=0)}
    budgets = DailySpend.objects.standings(day, {slug: bot.daily_budget_micros for slug, bot in bots.items()})
    told = dict(SpendAlert.objects.filter(day=day).values_list("bot", "percent"))
    # Only if it decides anything.
    untold = [budget for bot, budget in budgets.items() if budget.cap_micros and told.get(bot, 0) < USED_UP]
    refused = _refused_by(day) if any(budget.nearly_used_up for budget in untold) else set()
    for bot, budget in budgets.items():
        percent = reached(budget, refused=bot in refused)
        if percent is not None and percent > told.get(bot, 0):
            yield Alert(bot, str(bots[bot]) if bot else "", budget, day, percent)


def _refused_by(day: date) -> set[str]:
    """Return the budgets that recently refused calls: slugs of bots, ALL_BOTS for everybody's."""
    newest = InboundMessage.objects.order_by("-pk").values("pk")[:NEWEST_MESSAGES]
    refused = InboundMessage.objects.filter(
        pk__in=newest, received_at__gte=day_start(day), error_code__in=(REFUSED_BY_EVERYBODYS, REFUSED_BY_BOTS)
    ).values_list("bot__slug", "error_code")
    return {ALL_BOTS if code == REFUSED_BY_EVERYBODYS else slug for slug, code in refused}
