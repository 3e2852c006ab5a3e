"""Let people talk to the bots, or stop them: who may do it is checked, written and noted here, whatever the way."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.errors import DuplicatePhoneNumber
from users.models import CANONICAL_NUMBER, AuditEntry, User
from users.permissions import Permission, may
from users.phone import read_number
from users.roles import Role
from users.whitelist.rows import check_name

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


@dataclass(frozen=True, slots=True)
class By:
    """Who lets people in or blocks them, and where. Without staff it is nobody whose role counts: at the terminal.

    via: as AuditEntry's. also: who must be allowed it, too, in the simulator.
    """

    staff: User | None = None
    via: str = "command"
    also: tuple[User, ...] = ()

    @property
    def staff_id(self) -> int | None:
        """Return the member of staff's id, for the log and the audit log."""
        return self.staff.pk if self.staff else None


TERMINAL = By()


class StaffOnly(ValueError):
    """An owner or admin is let in or blocked by those who manage staff only."""

    def __init__(self, person: User) -> None:
        super().__init__(_("Who asked is an owner or admin: only an owner can allow them."))
        self.person = person


def set_whitelisted(people: QuerySet[User], allowed: bool, by: By) -> list[int]:
    """Put people on the whitelist or take them off it, and return the ids of those whom this changed.

    Of two who do it at once, one did.

    Raises:
        StaffOnly: it is not for these members of staff to do; nobody is changed.
    """
    with transaction.atomic():
        # Lock order: as an import's.
        chosen = people.filter(is_whitelisted=not allowed).order_by(CANONICAL_NUMBER, "pk")
        found = list(chosen.select_for_update(no_key=True, of=("self",)))
        for person in found:
            refuse_staff(person, by)
        ids = [person.pk for person in found]
        if ids:
            User.objects.update_whitelists(ids, allowed)
            note_whitelisted(ids, allowed, by)
    return ids


def refuse_staff(person: User, by: By) -> None:
    """Leave owners and admins to those who manage staff.

    Raises:
        StaffOnly: one of who does it does not.
    """
    actors = (by.staff, *by.also) if by.staff else ()
    theirs = person.is_staff or person.role != Role.USER
    if theirs and not all(may(actor, Permission.MANAGE_STAFF) for actor in actors):
        raise StaffOnly(person)


def note_whitelisted(people: Iterable[int], allowed: bool, by: By) -> None:
    """Note in the audit log that people (their ids) were put on the whitelist or taken off it."""
    action = AuditEntry.Action.ALLOWED if allowed else AuditEntry.Action.BLOCKED
    AuditEntry.objects.bulk_create(
        [AuditEntry(action=action, subject=person, actor_id=by.staff_id, via=by.via) for person in people],
        batch_size=500,
    )


def allow_person(person: User, by: By) -> bool:
    """Put a person on the whitelist and return whether this changed anything.

    Raises:
        StaffOnly: it is not for this member of staff to do.
    """
    changed = set_whitelisted(User.objects.filter(pk=person.pk), True, by)
    person.is_whitelisted = True
    return bool(changed)


def allow(raw_number: str, name: str = "", *, by: By = TERMINAL) -> Result:
    """Put the person with this number on the whitelist, creating them when nobody has it in any spelling.

    Doing it twice is doing it once. A name replaces the person's; without one they keep theirs.

    Raises:
        InvalidPhoneNumber: the number cannot be read.
        BadName: the name is too long.
        AddressTaken: a channel knows somebody else by it.
        StaffOnly: it is not for this member of staff to do.
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
            logger.info("person_allowed", extra={"person": person.pk, "new": True, "staff": by.staff_id})
            note_whitelisted([person.pk], True, by)
            return Result(Outcome.CREATED, person)
    return _allow_known(person, name, by)


def deny(raw_number: str, *, by: By = TERMINAL) -> Result:
    """Take the person with this number off the whitelist; they stay known. Doing it twice is doing it once.

    Raises:
        InvalidPhoneNumber: the number cannot be read.
        StaffOnly: it is not for this member of staff to do.
    """
    person = User.objects.find_by_phone_number(read_number(raw_number))
    if person is None:
        return Result(Outcome.UNKNOWN, None)
    refuse_staff(person, by)
    removed = set_whitelisted(User.objects.filter(pk=person.pk), False, by)
    person.is_whitelisted = False
    if removed:
        logger.info("person_denied", extra={"person": person.pk, "staff": by.staff_id})
    return Result(Outcome.REMOVED if removed else Outcome.NOT_LISTED, person)


def _allow_known(person: User, name: str, by: By) -> Result:
    allowed = allow_person(person, by)
    if allowed:
        logger.info("person_allowed", extra={"person": person.pk, "new": False, "staff": by.staff_id})
    renamed = bool(name) and bool(
        User.objects.filter(pk=person.pk).exclude(name=name).update(name=name, updated_at=timezone.now())
    )
    person.name = name or person.name
    return Result(Outcome.ALLOWED if allowed else Outcome.ALREADY_ALLOWED, person, renamed)
