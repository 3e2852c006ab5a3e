"""The plots: what each day came to, as bars that lead to the day's list."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bot.admin.dashboard import links
from bot.admin.dashboard.words import day_name, number, seconds, within
from bot.models import Bot, DailyFigures
from bot.operations.figures.history import History
from config.desk.money import short
from config.desk.plots import Bar, plot


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot with its title, what today came to, the list behind that, and the period's sum in words.

    legend: (number of the part, what it is).
    """

    title: str
    today: str
    href: str
    total: str
    svg: SafeString
    first: str
    last: str
    legend: tuple[tuple[int, str], ...] = ()
    total_href: str = ""


# What a bar is made of: (parts from the bottom up, in words, where it leads).
Drawn = Callable[[DailyFigures], tuple[tuple[float, ...], str, str]]
Legend = tuple[tuple[int, str], ...]


def message_charts(history: History, bot: Bot | None) -> list[Chart]:
    """Return the plots of messages, of people and of times."""
    return [_received(history, bot), _sent(history, bot), _people(history, bot), _times(history, bot)]


def cost_charts(history: History, bot: Bot | None) -> list[Chart]:
    """Return the plots of tokens and of costs, whose calls are kept for longer than messages."""
    now = history.today
    total_href = links.usage(history.days[0].day, now.day, bot)
    return [replace(chart, total_href=total_href) for chart in (_tokens(history, bot), _costs(history, bot))]


def _received(history: History, bot: Bot | None) -> Chart:
    def draw(day: DailyFigures) -> tuple[tuple[float, ...], str, str]:
        others = max(day.received - day.answered - day.failed, 0)
        words = _("%(received)s received, %(answered)s answered, %(failed)s failed")
        said = {name: number(getattr(day, name)) for name in ("received", "answered", "failed")}
        return (day.answered, others, day.failed), words % said, links.received(day, bot)

    today, total = number(history.today.received), _in_all(history, number(history.total("received")))
    legend = ((0, _("answered")), (1, _("waiting, or not let in")), (2, _("failed")))
    return _chart(history, _("Messages in"), _if_known(draw), today, total, legend)


def _sent(history: History, bot: Bot | None) -> Chart:
    def draw(day: DailyFigures) -> tuple[tuple[float, ...], str, str]:
        words = _("%(sent)s sent, %(unsent)s not sent") % {"sent": number(day.sent), "unsent": number(day.unsent)}
        return (day.sent, 0, day.unsent), words, links.sent(day, bot)

    today, total = number(history.today.sent), _in_all(history, number(history.total("sent")))
    legend = ((0, _("sent")), (2, _("failed, uncertain or too late")))
    return _chart(history, _("Messages out"), _if_known(draw), today, total, legend)


def _people(history: History, bot: Bot | None) -> Chart:
    def draw(day: DailyFigures) -> tuple[tuple[float, ...], str, str]:
        return (day.people,), _("%(people)s people wrote") % {"people": number(day.people)}, links.received(day, bot)

    total = _("at most %(people)s on one day") % {"people": number(max(day.people for day in history.days))}
    return _chart(history, _("Active people"), _if_known(draw), number(history.today.people), total)


def _times(history: History, bot: Bot | None) -> Chart:
    def draw(day: DailyFigures) -> tuple[tuple[float, ...], str, str]:
        median, p95 = day.median_ms or 0, day.p95_ms or 0
        return (median, max(p95 - median, 0)), within(day.median_ms, day.p95_ms), links.answered(day, bot)

    now = history.today
    legend = ((0, _("half of the answers")), (1, _("95 percent of the answers")))
    total = "" if now.p95_ms is None else _("95 %% within %(p95)s") % {"p95": seconds(now.p95_ms)}
    return _chart(history, _("Time to the answer"), _if_known(draw), seconds(now.median_ms), total, legend)


def _tokens(history: History, bot: Bot | None) -> Chart:
    def draw(day: DailyFigures) -> tuple[tuple[float, ...], str, str]:
        words = _("%(input)s tokens in, %(output)s tokens out")
        said = {"input": number(day.input_tokens), "output": number(day.output_tokens)}
        return (day.input_tokens, day.output_tokens), words % said, links.usage(day.day, day.day, bot)

    now, total = history.today, history.total("input_tokens") + history.total("output_tokens")
    today = number(now.input_tokens + now.output_tokens)
    legend = ((0, _("input")), (1, _("output")))
    return _chart(history, _("Tokens"), draw, today, _in_all(history, number(total)), legend)


def _costs(history: History, bot: Bot | None) -> Chart:
    def draw(day: DailyFigures) -> tuple[tuple[float, ...], str, str]:
        return (day.cost_micros,), short(day.cost_micros), links.usage(day.day, day.day, bot)

    today, total = short(history.today.cost_micros), _in_all(history, short(history.total("cost_micros")))
    return _chart(history, _("Cost"), draw, today, total)


def _chart(history: History, title: str, draw: Drawn, today: str, total: str, legend: Legend = ()) -> Chart:
    bars = [Bar(day_name(day.day), *draw(day)) for day in history.days]
    return Chart(title, today, bars[-1].href, total, plot(bars, title), bars[0].label, _("today"), legend)


def _if_known(draw: Drawn) -> Drawn:
    """Return what draws nothing of a day whose messages were gone before they were counted."""

    def draw_if_known(day: DailyFigures) -> tuple[tuple[float, ...], str, str]:
        return draw(day) if day.has_messages else ((), _("not known"), "")

    return draw_if_known


def _in_all(history: History, total: str) -> str:
    return _("%(total)s in %(days)d days") % {"total": total, "days": len(history.days)}
