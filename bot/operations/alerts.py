"""Tell the owners how much of the day's budgets is used: everybody's and each bot's, each share once a day."""

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

# (key, lazy text) -> how many owners were written to. A key is notified once, whoever asks.
Notify = Callable[[str, str | Promise], int]

# Refusals are looked for among the newest messages: the inbox has no index on times or reasons.
NEWEST_MESSAGES = 1_000
REFUSED_BY_EVERYBODYS = str(ErrorCode.GLOBAL_BUDGET_EXCEEDED)
REFUSED_BY_BOTS = str(ErrorCode.BOT_BUDGET_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Alert:
    """A budget that has reached a share of which nobody was told today; bot and name are those of the bot it is of."""

    bot: str
    name: str
    budget: Standing
    day: date
    percent: int

    @property
    def scope(self) -> str:
        """Whose budget it is, for keys and logs."""
        return self.bot or "everybody"

    @property
    def key(self) -> str:
        """What names this alert once and for all."""
        return f"budget:{self.scope}:{self.day}:{self.percent}"

    @property
    def text(self) -> str:
        """What the owners read, in the language that is spoken at the moment."""
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

    Each once a day, however many processes do this at the same time; after a jump only the highest. An alert that could
    not be noted and handed to `notify`, both or neither, is tried again the next time, and holds up no other.
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
    """Report a warning, of which Sentry's logging integration would make no event."""
    # Imported when there is something to report: most processes never need it.
    import sentry_sdk

    with sentry_sdk.new_scope() as scope:
        scope.set_context("budget", facts)
        scope.set_level("warning")
        sentry_sdk.capture_message("budget_alert")


def _due(day: date) -> Iterator[Alert]:
    """Yield the alerts that are due and were not raised; at most four queries."""
    bots = {bot.slug: bot for bot in Bot.objects.for_people().filter(is_active=True, daily_budget_micros__gt=0)}
    budgets = DailySpend.objects.standings(day, {slug: bot.daily_budget_micros for slug, bot in bots.items()})
    told = dict(SpendAlert.objects.filter(day=day).values_list("bot", "percent"))
    # Only where it decides anything.
    untold = [budget for bot, budget in budgets.items() if budget.cap_micros and told.get(bot, 0) < USED_UP]
    refused = _refused_by(day) if any(budget.nearly_used_up for budget in untold) else set()
    for bot, budget in budgets.items():
        percent = reached(budget, refused=bot in refused)
        if percent is not None and percent > told.get(bot, 0):
            yield Alert(bot, str(bots[bot]) if bot else "", budget, day, percent)


def _refused_by(day: date) -> set[str]:
    """Return the budgets that calls were refused because of lately: slugs of bots, ALL_BOTS for everybody's."""
    newest = InboundMessage.objects.order_by("-pk").values("pk")[:NEWEST_MESSAGES]
    refused = InboundMessage.objects.filter(
        pk__in=newest, received_at__gte=day_start(day), error_code__in=(REFUSED_BY_EVERYBODYS, REFUSED_BY_BOTS)
    ).values_list("bot__slug", "error_code")
    return {ALL_BOTS if code == REFUSED_BY_EVERYBODYS else slug for slug, code in refused}
