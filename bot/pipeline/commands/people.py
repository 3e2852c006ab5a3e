"""/allow, /deny and /users: who may write, for those who manage people. It counts from a person's next message on."""

import logging
import re
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.models import AccessRequest
from bot.pipeline.commands.numbers import read_person
from bot.pipeline.commands.people_lists import people_text, waiting_text
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.whitelisting import Refusal, allow_number, allow_request, deny_person
from bot.pipeline.commands.wording import called
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.models import User
from users.permissions import Permission
from users.phone import InvalidPhoneNumber, is_possible
from users.whitelist import By

logger = logging.getLogger(__name__)

REQUEST = re.compile(r"#\s*([0-9]{1,18})")


@command(
    "allow",
    gettext_lazy("let somebody write to me; alone: who is waiting"),
    argument=gettext_lazy("[NUMBER [NAME] or #ID]"),
    permission=Permission.MANAGE_PEOPLE,
)
async def allow(turn: Turn, services: Services, argument: str) -> str:
    """Put somebody on the whitelist by number, or by the id of their access request."""
    return await services.database.run(partial(allow_text, via=turn.via), turn.actor, argument, turn.person)


@command(
    "deny",
    gettext_lazy("stop somebody from writing to me, or dismiss a request"),
    argument=gettext_lazy("NUMBER or #ID"),
    permission=Permission.MANAGE_PEOPLE,
)
async def deny(turn: Turn, services: Services, argument: str) -> str:
    """Take somebody off the whitelist by number, or dismiss an access request by its id."""
    return await services.database.run(partial(deny_text, via=turn.via), turn.actor, argument, turn.person)


@command(
    "users",
    gettext_lazy("who may write to me"),
    argument=gettext_lazy("[NAME or NUMBER]"),
    permission=Permission.SEE_PEOPLE,
)
async def list_people(turn: Turn, services: Services, argument: str) -> str:
    """List the newest people on the whitelist, or those that a name or number matches."""
    return await services.database.run(people_text, argument)


def allow_text(staff: User, argument: str, *also: User, via: str = "chat") -> str:
    """Carry out /allow and return what came of it. also: who must be allowed it, too, in the simulator."""
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


def deny_text(staff: User, argument: str, *also: User, via: str = "chat") -> str:
    """Carry out /deny and return what came of it. also: who must be allowed it, too, in the simulator."""
    if not argument:
        return _("Whom? Write /deny and their number, or #ID to dismiss a request. /users lists people.")
    try:
        request = find_request(argument)
        if request is not None:
            AccessRequest.objects.filter(pk=request.pk).delete()
            logger.info("access_request_dismissed", extra={"staff": staff.pk, "request": request.pk})
            return _("Request #%d is dismissed.") % request.pk
        number, _name = read_person(argument)
        person = User.objects.find_by_phone_number(number)
        if person is None:
            return _("I know nobody with the number %s.") % number
        changed = deny_person(person, By(staff, via, also))
    except (Refusal, InvalidPhoneNumber) as refusal:
        return str(refusal)
    if not changed:
        return _("%(person)s was not allowed to write to me.") % {"person": called(person)}
    return _("%(person)s may not write to me any more.") % {"person": called(person)}


def find_request(argument: str) -> AccessRequest | None:
    """Return the access request that "#12" names, or None: the text names none.

    Raises:
        Refusal: there is none with this id (any more).
    """
    if not argument.startswith("#"):
        return None
    match = REQUEST.fullmatch(argument)
    if match is None:
        raise Refusal(_("Write a request as # and its number, such as #12. /allow lists those that wait."))
    request = AccessRequest.objects.filter(pk=int(match[1])).first()
    if request is None:
        raise Refusal(_("No request #%d is waiting. /allow lists those that are.") % int(match[1]))
    return request
