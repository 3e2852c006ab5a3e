"""Access requests: allow the sender of one, and delete what that settles."""

import logging
from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bot.models import AccessRequest
from users.addresses import LONGEST_NAME, create_person
from users.errors import AddressTaken, DuplicatePhoneNumber
from users.models import User
from users.phone import variants
from users.whitelist.people import By, allow_person, note_whitelisted

logger = logging.getLogger(__name__)


class RequestGone(ValueError):
    """Somebody has allowed or dismissed the request already."""


def allow_asker(request: AccessRequest, by: By) -> tuple[User, bool]:
    """Whitelist the sender of a request, as the person who has the address or else as a new one.

    Deletes the request, and the sender's requests to other bots of the channel: access is not per bot. Returns the
    person, and whether this changed anything.

    Raises:
        RequestGone: somebody has allowed or dismissed it already.
        StaffOnly: this member of staff may not do it.
    """
    try:
        person, changed = _allow(request, by)
    except (AddressTaken, DuplicatePhoneNumber):
        # Somebody got the address concurrently: retry once, which allows them.
        person, changed = _allow(request, by)
    logger.info("person_allowed", extra={"person": person.pk, "staff": by.staff_id})
    return person, changed


def lock_requests(channel: str, addresses: Collection[str]) -> list[int]:
    """Lock the requests of addresses, in a transaction, and return their ids.

    Lock order: requests before people, by primary key.
    """
    found = AccessRequest.objects.filter(bot__channel=channel, address__in=addresses).order_by("pk")
    return list(found.select_for_update(of=("self",)).values_list("pk", flat=True))


def forget_requests_of(number: str) -> None:
    """Delete the requests that came from a phone number, to bots of any channel. Call it in a transaction."""
    found = AccessRequest.objects.filter(address__in=variants(number)).order_by("pk")
    forget_requests(list(found.select_for_update(of=("self",)).values_list("pk", flat=True)))


def forget_requests(ids: Collection[int]) -> None:
    """Delete requests that lock_requests() has locked."""
    AccessRequest.objects.filter(pk__in=ids).delete()


@transaction.atomic
def _allow(request: AccessRequest, by: By) -> tuple[User, bool]:
    found = AccessRequest.objects.select_related("bot").filter(pk=request.pk).first()
    locked = lock_requests(found.bot.channel, [found.address]) if found else []
    if found is None or found.pk not in locked:
        raise RequestGone(_("This request is gone: somebody has allowed or dismissed it already."))
    channel = found.bot.channel
    person = User.objects.for_identity(channel, found.address)
    if person is None:
        person, changed = create_person(channel, found.address, found.profile_name), True
        note_whitelisted([person.pk], True, by)
    else:
        changed = allow_person(person, by)
        _give_name(person, found.profile_name)
    forget_requests(locked)
    return person, changed


def _give_name(person: User, name: str) -> None:
    if not person.name and name:
        person.name = name[:LONGEST_NAME]
        person.save(update_fields=["name", "updated_at"])
