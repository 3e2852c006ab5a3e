"""Let one person talk to the bots, or stop them."""

import logging
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.errors import DuplicatePhoneNumber
from users.models import User
from users.phone import read_number
from users.whitelist.rows import check_name
from users.whitelist.trail import note_whitelisted

logger = logging.getLogger(__name__)


class Outcome(TextChoices):
    """What became of a person by allow() or deny()."""

    CREATED = "created", _("created and allowed")
    ALLOWED = "allowed", _("allowed")
    ALREADY_ALLOWED = "already_allowed", _("already allowed")
    REMOVED = "removed", _("removed from the whitelist")
    NOT_LISTED = "not_listed", _("not on the whitelist")
    UNKNOWN = "unknown", _("unknown")


@dataclass(frozen=True, slots=True)
class Result:
    """What happened, and to whom; nobody when the number is unknown."""

    outcome: Outcome
    person: User | None
    renamed: bool = False


def allow(raw_number: str, name: str = "", *, staff: int | None = None, via: str = "command") -> Result:
    """Put the person with this number on the whitelist, creating them when nobody has it in any spelling.

    Doing it twice is doing it once. A name replaces the person's; without one they keep theirs. staff: who does it, and
    via: where, for the log and the audit log.

    Raises:
        InvalidPhoneNumber: the number cannot be read.
        BadName: the name is too long.
        AddressTaken: a channel knows somebody else by it.
    """
    name = check_name(name)
    person = User.objects.find_by_phone_number(raw_number)
    if person is None:
        try:
            person = User.objects.create_user(raw_number, name=name, is_whitelisted=True)
        except DuplicatePhoneNumber:
            # Another process was faster, perhaps with another spelling.
            person = User.objects.get_by_natural_key(raw_number)
        else:
            logger.info("person_allowed", extra={"person": person.pk, "new": True, "staff": staff})
            note_whitelisted([person.pk], True, actor=staff, via=via)
            return Result(Outcome.CREATED, person)
    return _allow_known(person, name, staff, via)


def deny(raw_number: str, *, staff: int | None = None, via: str = "command") -> Result:
    """Take the person with this number off the whitelist; they stay known. Doing it twice is doing it once.

    Raises:
        InvalidPhoneNumber: the number cannot be read.
    """
    person = User.objects.find_by_phone_number(read_number(raw_number))
    if person is None:
        return Result(Outcome.UNKNOWN, None)
    removed = _set_whitelisted(person, False)
    if removed:
        logger.info("person_denied", extra={"person": person.pk, "staff": staff})
        note_whitelisted([person.pk], False, actor=staff, via=via)
    return Result(Outcome.REMOVED if removed else Outcome.NOT_LISTED, person)


def _allow_known(person: User, name: str, staff: int | None, via: str) -> Result:
    allowed = _set_whitelisted(person, True)
    if allowed:
        logger.info("person_allowed", extra={"person": person.pk, "new": False, "staff": staff})
        note_whitelisted([person.pk], True, actor=staff, via=via)
    renamed = bool(name) and bool(
        User.objects.filter(pk=person.pk).exclude(name=name).update(name=name, updated_at=timezone.now())
    )
    person.name = name or person.name
    return Result(Outcome.ALLOWED if allowed else Outcome.ALREADY_ALLOWED, person, renamed)


def _set_whitelisted(person: User, allowed: bool) -> bool:
    """Return whether this changed anything: of two who do it at once, one did."""
    others = User.objects.filter(pk=person.pk, is_whitelisted=not allowed)
    changed = others.update(is_whitelisted=allowed, updated_at=timezone.now())
    person.is_whitelisted = allowed
    return bool(changed)
