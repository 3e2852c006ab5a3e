"""The lists of /users and of /allow alone: who may write, and who asks to."""

import string
from contextlib import suppress

from django.db.models import F, Q, Sum
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bot.channels.registry import CHANNELS
from bot.models import AccessRequest
from bot.pipeline.commands.numbers import may_be_in_number
from bot.pipeline.commands.wording import called, listed_name, quoted
from config.desk.money import exact
from usage.days import today
from usage.models import UsageRecord
from users.managers import read_number
from users.models import User
from users.phone import InvalidPhoneNumber, is_e164, mask, variants

PEOPLE_LISTED = 20
REQUESTS_LISTED = 10
# Who was let in elsewhere is left out of the list, so more are read than shown.
REQUESTS_READ = 50
# A shorter part of a number is part of too many.
LEAST_DIGITS = 3


def people_text(text: str) -> str:
    """Return how many people are on the whitelist, and the newest of them or those that a name or number matches."""
    allowed = User.objects.whitelisted().count()
    head = ngettext("%d person may write to me.", "%d people may write to me.", allowed) % allowed
    chosen = User.objects.filter(_matching(text)) if text else User.objects.whitelisted()
    people = list(chosen.order_by("-pk")[: PEOPLE_LISTED + 1])
    if text and not people:
        return "\n".join([head, _("Nobody's name or number matches %s.") % quoted(text)])
    shown = people[:PEOPLE_LISTED]
    spent = _spent_today(shown)
    lines = [_person_line(person, spent.get(person.pk, 0)) for person in shown]
    if len(people) > PEOPLE_LISTED:
        lines.append(_("… and more. /users with a name or number finds them."))
    return "\n".join([head, *lines])


def waiting_text() -> str:
    """Return who asks for access, the latest first."""
    rows = AccessRequest.objects.annotate(channel=F("bot__channel")).order_by("-last_seen_at")[:REQUESTS_READ]
    requests = list(rows)
    people = User.objects.for_identities((row.channel, row.address) for row in requests)
    allowed = {pair for pair, person in people.items() if person.is_whitelisted}
    waiting = [row for row in requests if (row.channel, row.address) not in allowed]
    if not waiting:
        return _("Nobody is waiting. To let somebody in: /allow, their phone number, and their name if you like.")
    lines = [_request_line(row, row.channel) for row in waiting[:REQUESTS_LISTED]]
    if len(waiting) > REQUESTS_LISTED:
        lines.append(_("… and more."))
    return "\n".join([_("Who asks for access (/allow #ID lets them in, /deny #ID dismisses them):"), *lines])


def _matching(text: str) -> Q:
    """Return the condition of people whose name has text in it, or whose number it is or has it in it."""
    found = Q(name__icontains=text)
    with suppress(InvalidPhoneNumber):
        found |= Q(phone_number__in=variants(read_number(text)))
    digits = "".join(one for one in text if one in string.digits)
    if len(digits) >= LEAST_DIGITS and all(map(may_be_in_number, text)):
        found |= Q(phone_number__contains=digits)
    return found


def _spent_today(people: list[User]) -> dict[int, int]:
    """Return what each has spent today, in micro-dollars. One query."""
    records = UsageRecord.objects.between(today(), today()).filter(user__in=people)
    return dict(records.values_list("user").annotate(cost=Sum("cost_micros", default=0)).order_by())


def _person_line(person: User, spent_micros: int) -> str:
    facts = [called(person), str(person.get_role_display()), _("%s today") % exact(spent_micros)]
    if not person.is_whitelisted:
        facts.append(_("not allowed"))
    return " · ".join(facts)


def _request_line(request: AccessRequest, channel: str) -> str:
    known = CHANNELS.get(channel)
    who = mask(request.address) if is_e164(request.address) else str(known.label if known else channel)
    messages = ngettext("%d message", "%d messages", request.messages) % request.messages
    ago = _("%s ago") % timesince(request.last_seen_at, timezone.now(), depth=1)
    facts = (f"#{request.pk}", listed_name(request.profile_name), who, messages, ago)
    return " · ".join(fact for fact in facts if fact)
