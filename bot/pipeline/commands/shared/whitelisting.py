"""What /allow and /deny do to the whitelist. Each does nothing when it has been done: a turn may be run again."""

import re

from django.db import transaction
from django.utils.translation import gettext as _

from bot.models import AccessRequest
from bot.pipeline.commands.shared.wording import called
from bot.queue import access_requests
from bot.queue.access_requests import RequestGone, StaffOnly, forget_requests_of
from users.errors import AddressTaken
from users.models import User
from users.permissions import may_touch
from users.whitelist import Outcome, allow, deny

REQUEST = re.compile(r"#\s*([0-9]{1,18})")


class Refusal(Exception):
    """A command is not carried out; the text says why, to who gave it."""


def allow_number(number: str, name: str, staff: User, *also: User, via: str) -> tuple[User, bool]:
    """Put the person with a number on the whitelist, made if need be; return them, and whether this changed anything.

    The name is given to who has none. Requests for access from this number are settled by it.

    Raises:
        Refusal: it is not for this member of staff to do.
    """
    with transaction.atomic():
        forget_requests_of(number)
        person = User.objects.find_by_phone_number(number)
        if person is not None and person.is_whitelisted:
            return person, False
        if person is not None:
            refuse_to_touch_staff(person, staff, *also)
        try:
            result = allow(number, "" if person and person.name else name, staff=staff.pk, via=via)
        except AddressTaken:
            holder = User.objects.holder_of("", number)
            text = _("%(number)s is an address of %(person)s already.")
            raise Refusal(text % {"number": number, "person": called(holder) if holder else ""}) from None
    return result.person or User.objects.get_by_natural_key(number), result.outcome != Outcome.ALREADY_ALLOWED


def allow_request(request: AccessRequest, staff: User, *also: User, via: str) -> tuple[User, bool]:
    """Put who asked for access on the whitelist; return them, and whether this changed anything.

    Raises:
        Refusal: it is not for this member of staff to do, or somebody else has done it.
    """
    known = User.objects.for_identity(request.bot.channel, request.address)
    if known is not None and not known.is_whitelisted:
        refuse_to_touch_staff(known, staff, *also)
    try:
        person = access_requests.allow_request(request, staff=staff, via=via)
    except (RequestGone, StaffOnly) as refusal:
        raise Refusal(str(refusal)) from None
    return person, known is None or not known.is_whitelisted


def deny_person(person: User, staff: User, *also: User, via: str) -> bool:
    """Take a person with a phone number off the whitelist and return whether they were on it.

    Raises:
        Refusal: it is not for this member of staff to do; nobody can do it to themselves.
    """
    if person in (staff, *also):
        raise Refusal(_("You can't deny yourself: nobody would answer you any more."))
    refuse_to_touch_staff(person, staff, *also)
    return deny(person.phone_number or "", staff=staff.pk, via=via).outcome == Outcome.REMOVED


def refuse_to_touch_staff(person: User, *staff: User) -> None:
    """Leave owners and admins to those who manage staff.

    Raises:
        Refusal: one of these members of staff does not.
    """
    if not all(may_touch(one, person) for one in staff):
        who = {"person": called(person), "role": str(person.get_role_display())}
        raise Refusal(_("%(person)s is %(role)s: only an owner can do that.") % who)


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
