"""/allow: let a person in from their next message on, or list access requests; for staff who manage people."""

from functools import partial

from django.db.models import F
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bot.channels.registry import CHANNELS
from bot.models import AccessRequest
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.numbers import read_person
from bot.pipeline.commands.shared.whitelisting import Refusal, allow_number, allow_request, find_request
from bot.pipeline.commands.shared.wording import called, listed_name
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.models import User
from users.permissions import Permission
from users.phone import InvalidPhoneNumber, is_e164, is_possible, mask
from users.whitelist import By

REQUESTS_LISTED = 10
# More are read than shown, because people who were let in elsewhere are left out.
REQUESTS_READ = 50


@command(
    "allow",
    gettext_lazy("let somebody write to me; alone: who is waiting"),
    argument=gettext_lazy("[NUMBER [NAME] or #ID]"),
    order=11,
    permission=Permission.MANAGE_PEOPLE,
)
async def allow(turn: Turn, services: Services, argument: str) -> str:
    """Whitelist a person by number, or by the id of their access request."""
    return await services.database.run(partial(allow_text, via=turn.via), turn.actor, argument, turn.person)


def allow_text(staff: User, argument: str, *also: User, via: str = "chat") -> str:
    """Carry out /allow and return the reply. also: others whose rights are required, in the simulator."""
    if not argument:
        return waiting_text()
    by = By(staff, via, also)
    try:
        request = find_request(argument)
        if request is None:
            number, name = read_person(argument)
            person, changed = allow_number(number, name, by)
        else:
            person, changed = allow_request(request, by)
    except (Refusal, InvalidPhoneNumber) as refusal:
        return str(refusal)
    if not changed:
        return _("%(person)s is allowed already.") % {"person": called(person)}
    said = _("%(person)s may write to me now.") % {"person": called(person)}
    if person.phone_number and not is_possible(person.phone_number):
        said += " " + _("But this does not look like a number that exists. Please check it.")
    return said


def waiting_text() -> str:
    """Return the list of access requests, the latest first."""
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


def _request_line(request: AccessRequest, channel: str) -> str:
    known = CHANNELS.get(channel)
    who = mask(request.address) if is_e164(request.address) else str(known.label if known else channel)
    messages = ngettext("%d message", "%d messages", request.messages) % request.messages
    ago = _("%s ago") % timesince(request.last_seen_at, timezone.now(), depth=1)
    facts = (f"#{request.pk}", listed_name(request.profile_name), who, messages, ago)
    return " · ".join(fact for fact in facts if fact)
