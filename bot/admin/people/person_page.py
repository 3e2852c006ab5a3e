"""What a person's page shows above the form: today, the last 30 days, when they were seen, and what leads on."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bot.admin.people.listing import default_cap
from bot.admin.widgets import ago
from bot.simulator.rights import is_allowed, may_be, visitor_of
from config.desk.money import short
from config.desk.plots import Bar, plot
from conversations.models import Conversation
from usage.days import today
from usage.models import DailySpend
from usage.standing import Standing
from users.models import User

DAYS = 30
# Somebody with more addresses or conversations is found by the lists' own search.
MOST_LINKS = 5


@dataclass(frozen=True, slots=True)
class Link:
    """Where something of the person's is to be seen."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Spending:
    """What somebody has spent: today of what budget, and day by day."""

    today: str
    gauge: Standing
    budget: str
    month: str
    plot: SafeString
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known of a person. spending: None for who may not see it."""

    seen: str
    spending: Spending | None
    links: list[Link]


def panel_of(request: HttpRequest, person: User) -> Panel:
    """Return what somebody may see of a person. At most four queries."""
    may_see = request.user.has_perm("usage.view_dailyspend")
    seen = ago(person.last_seen_at) if person.last_seen_at else ""
    return Panel(seen, _spending(person) if may_see else None, _links(request, person))


def _spending(person: User) -> Spending:
    last = today()
    days = [last - timedelta(days=ago) for ago in reversed(range(DAYS))]
    rows = DailySpend.objects.of_person(person.pk).filter(day__gte=days[0], day__lte=last)
    found = {one.day: one for one in rows}
    spent = {day: found[day].spent_micros if day in found else 0 for day in days}
    own = person.daily_budget_micros
    cap = default_cap() if own is None else own
    gauge = Standing(cap, spent[last], found[last].reserved_micros if last in found else 0)
    bars = [Bar(formats.date_format(day, "SHORT_DATE_FORMAT"), (spent[day],), short(spent[day])) for day in days]
    return Spending(
        today=short(gauge.used_micros),
        gauge=gauge,
        budget=_budget(own, cap),
        month=short(sum(spent.values())),
        plot=plot(bars, _("Spent on each of the last 30 days"), height=40, size="small"),
        first=days[0],
        last=last,
    )


def _budget(own: int | None, cap: int | None) -> str:
    if cap is None:
        return _("No daily budget.")
    if own is None:
        return _("of %(budget)s, the default") % {"budget": short(cap)}
    return _("of %(budget)s, their own budget") % {"budget": short(cap)}


def _links(request: HttpRequest, person: User) -> list[Link]:
    user, links = request.user, []
    if user.has_perm("conversations.view_conversation"):
        links += _conversations(person)
    addresses = _addresses(person)
    for permission, text, page in (
        ("bot.view_inboundmessage", _("Messages from %(address)s"), "bot_inboundmessage_changelist"),
        ("bot.view_outboundmessage", _("Messages to %(address)s"), "bot_outboundmessage_changelist"),
    ):
        if user.has_perm(permission):
            links += [Link(text % {"address": one}, _page(page, q=one)) for one in addresses]
    if user.has_perm("usage.view_usagerecord"):
        search = {"q": person.phone_number} if person.phone_number else {"user__id__exact": str(person.pk)}
        links.append(Link(_("What their answers cost"), _page("usage_usagerecord_changelist", **search)))
    may_write = person.phone_number and person.is_whitelisted and is_allowed(request)
    if may_write and may_be(visitor_of(request), person.phone_number or "", person):
        query = urlencode({"person": person.phone_number})
        links.append(Link(_("Write as this person in the simulator"), f"{reverse('simulator:chat')}?{query}"))
    return links


def _conversations(person: User) -> list[Link]:
    live = Conversation.objects.live().filter(user=person).order_by("bot")[:MOST_LINKS]
    return [
        Link(
            _("Conversation with %(bot)s") % {"bot": one.bot},
            reverse("admin:conversations_conversation_change", args=(one.pk,)),
        )
        for one in live
    ]


def _addresses(person: User) -> list[str]:
    known = person.identities.order_by("pk").values_list("address", flat=True)[:MOST_LINKS]
    return list(dict.fromkeys([*([person.phone_number] if person.phone_number else []), *known]))[:MOST_LINKS]


def _page(name: str, **search: str) -> str:
    return f"{reverse(f'admin:{name}')}?{urlencode(search)}"
