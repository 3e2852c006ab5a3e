"""Whitelist changes of /allow and /deny. They are idempotent, because a turn may be retried."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils.translation import gettext as _

from bot.models import AccessRequest
from bot.pipeline.commands.shared.wording import called
from bot.queue.access_requests import RequestGone, allow_asker, forget_requests_of
from users.errors import AddressTaken
from users.models import User
from users.whitelist import By, Outcome, StaffOnly, allow, deny

REQUEST = re.compile(r"#\s*([0-9]{1,18})")


class Refusal(Exception):
    """A command is refused; the message tells its sender why."""


@contextmanager
def refusing_staff() -> Iterator[None]:
    """Convert StaffOnly to a Refusal."""
    try:
        yield
    except StaffOnly as refusal:
        who = {"person": called(refusal.person), "role": str(refusal.person.get_role_display())}
        raise Refusal(_("%(person)s is %(role)s: only an owner can do that.") % who) from None


def allow_number(number: str, name: str, by: By) -> tuple[User, bool]:
    """Whitelist the person with a number, created if necessary; return them, and whether this changed anything.

    A person without a name gets this one. Deletes access requests from the number.

    Raises:
        Refusal: this member of staff may not do it.
    """
    with transaction.atomic(), refusing_staff():
        forget_requests_of(number)
        person = User.objects.find_by_phone_number(number)
        if person is not None and person.is_whitelisted:
            return person, False
        try:
            result = allow(number, "" if person and person.name else name, by=by)
        except AddressTaken:
            holder = User.objects.holder_of("", number)
            text = _("%(number)s is an address of %(person)s already.")
            raise Refusal(text % {"number": number, "person": called(holder) if holder else ""}) from None
    return result.person or User.objects.get_by_natural_key(number), result.outcome != Outcome.ALREADY_ALLOWED


def allow_request(request: AccessRequest, by: By) -> tuple[User, bool]:
    """Whitelist the sender of an access request; return them, and whether this changed anything.

    Raises:
        Refusal: this member of staff may not do it, or somebody else has done it.
    """
    try:
        with refusing_staff():
            return allow_asker(request, by)
    except RequestGone as refusal:
        raise Refusal(str(refusal)) from None


def deny_person(person: User, by: By) -> bool:
    """Remove a person with a phone number from the whitelist and return whether they were on it.

    Raises:
        Refusal: this member of staff may not do it; nobody can do it to themselves.
    """
    if person in (by.staff, *by.also):
        raise Refusal(_("You can't deny yourself: nobody would answer you any more."))
    with refusing_staff():
        return deny(person.phone_number or "", by=by).outcome == Outcome.REMOVED


def find_request(argument: str) -> AccessRequest | None:
    """Return the access request that "#12" names, or None if the text is no such id.

    Raises:
        Refusal: there is no request with this id.
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
