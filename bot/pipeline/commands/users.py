"""/users: list or search whitelisted people, for staff who see people."""

import string
from contextlib import suppress

from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.numbers import may_be_in_number
from bot.pipeline.commands.shared.wording import called, quoted
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from config.desk.money import exact
from usage.days import today
from usage.models import UsageRecord
from users.models import User
from users.permissions import Permission
from users.phone import InvalidPhoneNumber, read_number, variants

PEOPLE_LISTED = 20
# Fewer digits would match too many numbers.
LEAST_DIGITS = 3


@command(
    "users",
    gettext_lazy("who may write to me"),
    argument=gettext_lazy("[NAME or NUMBER]"),
    order=13,
    permission=Permission.SEE_PEOPLE,
)
async def list_people(turn: Turn, services: Services, argument: str) -> str:
    """Return the newest whitelisted people, or those that match a name or number."""
    return await services.database.run(people_text, argument)


def people_text(text: str) -> str:
    """Return how many people are whitelisted, and the newest or those that match a name or number."""
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


def _matching(text: str) -> Q:
    """Return the condition of people whose name or number contains text."""
    found = Q(name__icontains=text)
    with suppress(InvalidPhoneNumber):
        found |= Q(phone_number__in=variants(read_number(text)))
    digits = "".join(one for one in text if one in string.digits)
    if len(digits) >= LEAST_DIGITS and all(map(may_be_in_number, text)):
        found |= Q(phone_number__contains=digits)
    return found


def _spent_today(people: list[User]) -> dict[int, int]:
    """Return {person's id: micro-dollars spent today}, in one query."""
    records = UsageRecord.objects.between(today(), today()).filter(user__in=people)
    return dict(records.values_list("user").annotate(cost=Sum("cost_micros", default=0)).order_by())


def _person_line(person: User, spent_micros: int) -> str:
    facts = [called(person), str(person.get_role_display()), _("%s today") % exact(spent_micros)]
    if not person.is_whitelisted:
        facts.append(_("not allowed"))
    return " · ".join(facts)
