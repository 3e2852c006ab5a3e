"""What somebody has to do something about, the most urgent first, each with the list that it is done in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_q.models import Failure, Schedule

from bot.admin.dashboard import links
from bot.admin.dashboard.costs import Gauge
from bot.admin.dashboard.words import age, capped
from bot.channels.registry import CHANNELS
from bot.models import AccessRequest, Bot, InboundMessage, OutboundMessage
from bot.models.encryption import Unreadable
from bot.monitoring.system import System, ask_system
from bot.operations.missing import missing_settings
from bot.operations.model_refusals import Standing
from bot.operations.unbounded import nothing_bounds_cost
from bot.reasons import cause_of
from config.desk.paginator import MOST
from usage.models import DailySpend
from users.permissions import Permission

# A message that waits longer than this is not about to be answered.
LONG_SECONDS = 60
# The purge runs once a day: a failure is shown until it has run, or failed, again.
RECENTLY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Todo:
    """A thing to do: how urgent (bad, warn, or nothing), what, and where."""

    tone: str
    text: str
    href: str


def todo(
    allowed: frozenset[Permission],
    bots: list[Bot],
    system: System | None,
    gauges: list[Gauge],
    refusals: Iterable[Standing] = (),
) -> list[Todo]:
    """Return what is to be done, of what somebody may see. refusals: what the model's server refuses."""
    found: list[Todo] = []
    if system is not None:
        found += _of_system(system, links.list_of(Schedule) if Permission.MANAGE_SCHEDULES in allowed else "")
    found += [Todo("bad", str(refused.reason), links.failed(refused.code, None)) for refused in refusals]
    if Permission.SEE_BOTS in allowed:
        found += _of_bots(bots)
    if Permission.SEE_MESSAGES in allowed:
        found += _of_messages()
    if Permission.MANAGE_BOTS in allowed and nothing_bounds_cost():
        text = _("No daily budget is set: nothing bounds what answers cost. Set DAILY_BUDGET_USD in the environment.")
        found.append(Todo("warn", text, links.list_of(DailySpend)))
    found += [_of_budget(gauge) for gauge in gauges if gauge.budget.tone != "good"]
    if Permission.SEE_PEOPLE in allowed and (count := AccessRequest.objects.all()[:MOST].count()):
        text = ngettext("%(count)s person asks for access.", "%(count)s people ask for access.", count)
        found.append(Todo("", text % {"count": capped(count, MOST)}, links.access_requests()))
    if Permission.MANAGE_SCHEDULES in allowed and (count := _failures()):
        text = ngettext("%(count)s scheduled task failed.", "%(count)s scheduled tasks failed.", count)
        found.append(Todo("warn", text % {"count": capped(count, MOST)}, links.list_of(Failure)))
    return sorted(found, key=lambda one: ("bad", "warn", "").index(one.tone))


def _failures() -> int:
    """Return how many scheduled tasks failed lately: what failed earlier has run again since, and been told of."""
    return int(Failure.objects.filter(stopped__gt=timezone.now() - RECENTLY)[:MOST].count())


def system_now() -> System:
    """Return who lives and what waits. One query."""
    return ask_system(timezone.now())


def _of_system(system: System, schedules: str) -> list[Todo]:
    found = []
    if not system.workers_alive:
        found.append(Todo("bad", _("No worker is running: nobody is answered."), links.waiting()))
    if not system.schedulers_alive:
        text = _("No scheduler is running: nothing is purged, and no budget alert is sent.")
        found.append(Todo("bad", text, schedules))
    if system.oldest_waiting_seconds > LONG_SECONDS:
        length = age(system.oldest_waiting_seconds)
        found.append(Todo("warn", _("A message has waited for %(age)s.") % {"age": length}, links.waiting()))
    return found


def _of_bots(bots: list[Bot]) -> list[Todo]:
    found = []
    for bot in (bot for bot in bots if bot.is_active):
        names = {"bot": bot, "channel": bot.channel, "why": cause_of(bot.pause_reason, bot.channel)}
        if text := _what_keeps(bot):
            found.append(Todo("bad", text % names, links.page_of(bot)))
        if not isinstance(bot.credentials, Unreadable) and (missing := missing_settings(bot)):
            text = _("%(bot)s is not connected, and answers nobody: enter what is missing (%(missing)s).")
            found.append(Todo("bad", text % {**names, "missing": ", ".join(missing)}, links.page_of(bot)))
    return found


def _what_keeps(bot: Bot) -> str:
    """Return what keeps an active bot from answering, as a template; nothing where it answers."""
    if bot.channel not in CHANNELS:
        return _("%(bot)s cannot run: its channel “%(channel)s” is not known here. Choose another, or switch it off.")
    if isinstance(bot.credentials, Unreadable):
        return _("%(bot)s cannot run: its secrets cannot be read with this SECRET_KEY. Enter them again.")
    if bot.paused_at and bot.was_refused:
        return _("%(bot)s is paused, because %(why)s: what people write to it waits.")
    if bot.paused_at:
        return _("%(bot)s is paused: what people write to it waits.")
    return ""


def _of_messages() -> list[Todo]:
    found = []
    if count := InboundMessage.objects.filter(state=InboundMessage.State.DEAD)[:MOST].count():
        text = ngettext(
            "%(count)s message could not be answered: replay it.",
            "%(count)s messages could not be answered: replay them.",
            count,
        )
        found.append(Todo("bad", text % {"count": capped(count, MOST)}, links.dead()))
    if count := uncertain_sends():
        text = ngettext(
            "Nobody knows whether %(count)s message arrived: find out, and mark it as sent or send it again.",
            "Nobody knows whether %(count)s messages arrived: find out, and mark them as sent or send them again.",
            count,
        )
        found.append(Todo("warn", text % {"count": capped(count, MOST)}, links.uncertain()))
    return found


def uncertain_sends() -> int:
    """Return how many sends are uncertain, 10,000 at most. One query, by the index of what went wrong."""
    uncertain = OutboundMessage.objects.filter(status=OutboundMessage.Status.UNCERTAIN)
    return uncertain.exclude(error_code="", doubt="")[:MOST].count()


def _of_budget(gauge: Gauge) -> Todo:
    said = {"name": gauge.name, "amounts": gauge.words}
    if gauge.budget.tone == "bad":
        return Todo("bad", _("Budget used up: %(name)s, %(amounts)s.") % said, gauge.href)
    return Todo("warn", _("Budget nearly used up: %(name)s, %(amounts)s.") % said, gauge.href)
