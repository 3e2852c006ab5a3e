"""What /allow and /deny do to the whitelist. Each does nothing when it has been done: a turn may be run again."""

from django.db import transaction
from django.utils.translation import gettext as _

from bot.models import AccessRequest
from bot.pipeline.commands.wording import called, tidy_name
from users.managers import DuplicatePhoneNumber
from users.models import User
from users.permissions import Permission, may
from users.phone import is_e164, variants
from users.roles import Role


class Refusal(Exception):
    """A command is not carried out; the text says why, to who gave it."""


def allow_number(number: str, name: str, staff: User) -> tuple[User, bool]:
    """Put the person with a number on the whitelist, made if need be; return them, and whether this changed anything.

    The name is given to who has none. Requests for access from this number are settled by it.

    Raises:
        Refusal: it is not for this member of staff to do.
    """
    with transaction.atomic():
        AccessRequest.objects.filter(address__in=variants(number)).delete()
        person = User.objects.find_by_phone_number(number)
        if person is None:
            try:
                return User.objects.create_user(number, name=name, is_whitelisted=True), True
            except DuplicatePhoneNumber:  # another worker was quicker
                person = User.objects.get_by_natural_key(number)
        changed = allow_person(person, staff)
        if changed and name and not person.name:
            person.name = name
            person.save(update_fields=["name", "updated_at"])
    return person, changed


def allow_request(request: AccessRequest, staff: User) -> tuple[User, bool]:
    """Put who asked for access on the whitelist; return them, and whether this changed anything.

    Raises:
        Refusal: it is not for this member of staff to do.
    """
    name, channel = tidy_name(request.profile_name), request.bot.channel
    if is_e164(request.address) and User.objects.for_identity(channel, request.address) is None:
        return allow_number(request.address, name, staff)
    with transaction.atomic():
        person = User.objects.for_identity(channel, request.address)
        changed = person is None
        if person is None:
            person = User.objects.create_user(None, name=name, is_whitelisted=True)
            User.objects.link_identity(person, channel, request.address)
        else:
            changed = allow_person(person, staff)
        request.delete()
    return person, changed


def allow_person(person: User, staff: User) -> bool:
    """Put a person on the whitelist and return whether they were not on it.

    Raises:
        Refusal: it is not for this member of staff to do.
    """
    if person.is_whitelisted:
        return False
    refuse_to_touch_staff(person, staff)
    User.objects.update_whitelist(person, True)
    return True


def deny_person(person: User, staff: User) -> bool:
    """Take a person off the whitelist and return whether they were on it.

    Raises:
        Refusal: it is not for this member of staff to do; nobody can do it to themselves.
    """
    if person == staff:
        raise Refusal(_("You can't deny yourself: nobody would answer you any more."))
    refuse_to_touch_staff(person, staff)
    if not person.is_whitelisted:
        return False
    User.objects.update_whitelist(person, False)
    return True


def refuse_to_touch_staff(person: User, staff: User) -> None:
    """Leave owners and admins to those who manage staff.

    Raises:
        Refusal: this member of staff does not.
    """
    if person.role != Role.USER and not may(staff, Permission.MANAGE_STAFF):
        who = {"person": called(person), "role": str(Role(person.role).label)}
        raise Refusal(_("%(person)s is %(role)s: only an owner can do that.") % who)
