"""Tell the owners how much of the day's budgets is used: everybody's and each bot's, each share once a day."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext as _

from bot.errors import ErrorCode
from bot.models import Bot, InboundMessage
from bot.queue.notices import notify_owners
from usage.alerts import USED_UP, BudgetOfDay, reached
from usage.managers import day_start, today
from usage.models import DailySpend, SpendAlert
from usage.owner import OWNER
from usage.pricing import dollars

logger = logging.getLogger(__name__)

# (key, lazy text) -> how many owners were written to. A key is notified once, whoever asks.
Notify = Callable[[str, str | Promise], int]

EVERYBODY = ""
# Refusals are looked for among the newest messages: the inbox has no index on times or reasons.
NEWEST_MESSAGES = 1_000
REFUSED_BY_EVERYBODYS = str(ErrorCode.GLOBAL_BUDGET_EXCEEDED)
REFUSED_BY_BOTS = str(ErrorCode.BOT_BUDGET_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Alert:
    """A budget that has reached a share of which nobody was told today. name is the bot's ("": everybody's budget)."""

    budget: BudgetOfDay
    name: str
    day: date
    percent: int

    @property
    def scope(self) -> str:
        """Whose budget it is, for keys and logs."""
        return self.budget.bot or "everybody"

    @property
    def key(self) -> str:
        """What names this alert once and for all."""
        return f"budget:{self.scope}:{self.day}:{self.percent}"

    @property
    def text(self) -> str:
        """What the owners read, in the language that is spoken at the moment."""
        amounts = {
            "percent": self.percent,
            "cap": dollars(self.budget.cap_micros),
            "spent": dollars(self.budget.spent_micros),
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
        if not SpendAlert.objects.claim(alert.budget.bot, alert.day, alert.percent):
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
    caps = {EVERYBODY: settings.DAILY_BUDGET_MICROS or 0}
    caps |= {slug: bot.daily_budget_micros or 0 for slug, bot in bots.items()}
    told = dict(SpendAlert.objects.filter(day=day).values_list("bot", "percent"))
    for budget in _with_refusals(_budgets(caps, day), told, day):
        percent = reached(budget)
        if percent is not None and percent > told.get(budget.bot, 0):
            name = str(bots[budget.bot]) if budget.bot else ""
            yield Alert(budget, name, day, percent)


def _budgets(caps: dict[str, int], day: date) -> list[BudgetOfDay]:
    everybodys = DailySpend.objects.alias(owner=OWNER).filter(owner=0, bot__in=caps, day=day)
    rows = everybodys.values_list("bot", "spent_micros", "reserved_micros")
    return [BudgetOfDay(bot, caps[bot], spent, reserved) for bot, spent, reserved in rows]


def _with_refusals(budgets: list[BudgetOfDay], told: dict[str, int], day: date) -> list[BudgetOfDay]:
    """Look up who was refused, where that decides anything."""
    if not any(budget.nearly_used_up and told.get(budget.bot, 0) < USED_UP for budget in budgets):
        return budgets
    newest = InboundMessage.objects.order_by("-pk").values("pk")[:NEWEST_MESSAGES]
    refused = set(
        InboundMessage.objects.filter(
            pk__in=newest, received_at__gte=day_start(day), error_code__in=(REFUSED_BY_EVERYBODYS, REFUSED_BY_BOTS)
        ).values_list("bot__slug", "error_code")
    )
    by_everybodys = any(code == REFUSED_BY_EVERYBODYS for _slug, code in refused)
    return [
        replace(budget, refused=(budget.bot, REFUSED_BY_BOTS) in refused if budget.bot else by_everybodys)
        for budget in budgets
    ]
