"""/deny: block a person from their next message on, or dismiss an access request; for staff who manage people."""

import logging
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.models import AccessRequest
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.numbers import read_person
from bot.pipeline.commands.shared.whitelisting import Refusal, deny_person, find_request
from bot.pipeline.commands.shared.wording import called
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.models import User
from users.permissions import Permission
from users.phone import InvalidPhoneNumber
from users.whitelist import By

logger = logging.getLogger(__name__)


@command(
    "deny",
    gettext_lazy("stop somebody from writing to me, or dismiss a request"),
    argument=gettext_lazy("NUMBER or #ID"),
    order=12,
    permission=Permission.MANAGE_PEOPLE,
)
async def deny(turn: Turn, services: Services, argument: str) -> str:
    """Remove a person from the whitelist by number, or dismiss an access request by its id."""
    return await services.database.run(partial(deny_text, via=turn.via), turn.actor, argument, turn.person)


def deny_text(staff: User, argument: str, *also: User, via: str = "chat") -> str:
    """Carry out /deny and return the reply. also: others whose rights are required, in the simulator."""
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
