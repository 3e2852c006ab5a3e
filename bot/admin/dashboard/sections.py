"""What the dashboard shows to somebody: only what they may see the lists behind of."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from bot.admin.dashboard import links
from bot.admin.dashboard.charts import Chart, cost_charts, message_charts
from bot.admin.dashboard.costs import (
    Gauge,
    Spender,
    budgets,
    dearest_models,
    dearest_people,
    people_near_their_budget,
)
from bot.admin.dashboard.todo import Todo, system_now, todo
from bot.admin.dashboard.words import age, number, within
from bot.models import Bot, InboundMessage
from bot.monitoring.system import System
from bot.operations.figures.days import NO_FAILURE, answered, newest_times, quantiles
from bot.operations.figures.history import History, history
from bot.operations.model_refusals import Standing, standing_refusals
from usage.models import UsageRecord
from users.permissions import Permission

# What is not seen by anybody who may see neither messages nor spending.
FIGURES = {Permission.SEE_MESSAGES, Permission.SEE_SPENDING}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of "right now": what, how it is, how that is coloured, and the list behind it."""

    name: str
    value: str
    tone: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason for which messages failed: how many of those that are there still, and in the whole period."""

    code: str
    kept: int
    total: int
    href: str


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody does first with a fresh installation."""

    text: str
    link: str
    href: str


@dataclass(slots=True)
class Dashboard:
    """Everything the page shows. What somebody may not see is empty; None where empty means something else."""

    days: int = 0
    waiting_days: int = 0
    bot: Bot | None = None
    bots: list[Bot] = field(default_factory=list)
    todos: list[Todo] | None = None
    steps: list[Step] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    failures: list[Failure] | None = None
    gauges: list[Gauge] | None = None
    near: list[Gauge] = field(default_factory=list)
    more_near: int = 0
    people: list[Spender] | None = None
    models: list[Spender] | None = None


def build(allowed: frozenset[Permission], chosen: str = "") -> Dashboard:
    """Return the dashboard for somebody. chosen: the slug of the bot whose figures are asked for; others: of all."""
    page = Dashboard()
    if not allowed:
        return page
    sees_messages, sees_spending = Permission.SEE_MESSAGES in allowed, Permission.SEE_SPENDING in allowed
    bots = list(Bot.objects.for_people())
    if Permission.SEE_BOTS in allowed:
        page.bots = bots
        page.bot = next((bot for bot in bots if bot.slug == chosen), None)
    system = system_now() if sees_messages else None
    if sees_spending:
        page.gauges = budgets(bots)
        page.near, page.more_near = people_near_their_budget(bots) if Permission.SEE_PEOPLE in allowed else ([], 0)
    refusals = standing_refusals(bots) if sees_messages else []
    page.todos = todo(allowed, bots, system, page.gauges or [], refusals)
    if not allowed & FIGURES:
        return page
    past = history(page.bot)
    page.facts = _facts(system, page.bot, refusals) if system is not None else []
    if past.is_empty and not InboundMessage.objects.exists() and not UsageRecord.objects.exists():
        page.steps = _steps(allowed)
        return page
    page.days, page.waiting_days = len(past.days), past.waiting
    if sees_messages:
        page.charts += message_charts(past, page.bot)
        page.failures = _failures(past, page.bot)
    if sees_spending:
        page.charts += cost_charts(past, page.bot)
        page.models = dearest_models(past.by("costs"), page.days, page.bot)
        page.people = dearest_people(page.bot) if Permission.SEE_PEOPLE in allowed else None
    return page


def _facts(system: System, bot: Bot | None, refusals: list[Standing]) -> list[Fact]:
    answers = answered(InboundMessage.objects.filter(bot=bot) if bot else InboundMessage.objects.all())
    times = newest_times(answers)
    waits = age(system.oldest_waiting_seconds) if system.waiting_messages else "–"
    return [
        Fact(_("Workers"), *_alive(system.workers_alive, system.worker_seen_seconds)),
        Fact(_("Scheduler"), *_alive(system.schedulers_alive, system.scheduler_seen_seconds)),
        *_model(refusals),
        Fact(_("Messages waiting"), number(system.waiting_messages), href=links.waiting()),
        Fact(_("Oldest waiting"), waits, href=links.waiting()),
        Fact(
            _("The last answers (%(count)s)") % {"count": number(len(times))},
            within(*quantiles(times)),
            href=links.all_answered(bot),
        ),
    ]


def _model(refusals: list[Standing]) -> list[Fact]:
    """Return how the model does: what its server refuses, else when it has answered last. The demo needs none."""
    if refusals:
        return [Fact(_("Model"), str(one.reason.says), "bad", links.failed(one.code, None)) for one in refusals]
    if settings.LLM_PROVIDER != "openai":
        return []
    answered_at = UsageRecord.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    if answered_at is None:
        return [Fact(_("Model"), _("has not answered yet"))]
    length = age((timezone.now() - answered_at).total_seconds())
    return [Fact(_("Model"), _("answered %(age)s ago") % {"age": length}, "good")]


def _alive(count: int, seen_seconds: float | None) -> tuple[str, str]:
    if count:
        return _("%(count)s running") % {"count": number(count)}, "good"
    if seen_seconds is None:
        return _("not running"), "bad"
    return _("not running, last seen %(age)s ago") % {"age": age(seen_seconds)}, "bad"


def _failures(past: History, bot: Bot | None) -> list[Failure]:
    rows = InboundMessage.objects.exclude(error_code="").order_by()
    rows = rows.filter(bot=bot) if bot else rows
    kept = {
        code: count for code, count in rows.values_list("error_code").annotate(Count("pk")) if code not in NO_FAILURE
    }
    totals = past.by("failures")
    codes = sorted(kept | totals, key=lambda code: (-max(totals.get(code, 0), kept.get(code, 0)), code))
    return [
        Failure(code, kept.get(code, 0), max(totals.get(code, 0), kept.get(code, 0)), links.failed(code, bot))
        for code in codes
    ]


def _steps(allowed: frozenset[Permission]) -> list[Step]:
    steps = []
    if Permission.MANAGE_BOTS in allowed:
        text = _("Add a bot: it is what people write to.")
        steps.append(Step(text, _("Add a bot"), reverse("admin:bot_bot_add")))
    if Permission.MANAGE_PEOPLE in allowed:
        text = _("Whitelist somebody: only people you have let in are answered.")
        steps.append(Step(text, _("Add a person"), reverse("admin:users_user_add")))
    text = _("Write to it: the simulator is a chat page that needs no provider.")
    return [*steps, Step(text, _("Open the simulator"), reverse("simulator:chat"))]
