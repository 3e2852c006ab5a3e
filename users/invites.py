"""Invites: make a code, and let in whoever sends it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from users.addresses import create_person, know_by
from users.errors import AddressTaken, DuplicatePhoneNumber
from users.linking import has_data, may_link, note_linked
from users.models import Invite, User
from users.permissions import Permission, may
from users.whitelist.people import By, allow_person

logger = logging.getLogger(__name__)

LIFETIME = timedelta(days=7)
# How long one is kept after it ended, for staff to see who came in by which.
KEPT_DAYS = 30


class Outcome(Enum):
    """What became of a code that somebody sent. INVALID: unknown, used up, expired or revoked; nobody is told which."""

    JOINED = "joined"
    ALREADY_IN = "already in"
    TAKEN = "taken"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Redemption:
    """The outcome, and the person whose address it is (now). linked: somebody who was there has it since just now."""

    outcome: Outcome
    person: User | None = None
    linked: bool = False


def create_invite(
    *,
    person: User | None = None,
    note: str = "",
    max_uses: int = 1,
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> Invite:
    """Create an invite with a new code: for one person, or for somebody new. It ends after LIFETIME by default.

    The code is an attribute of what is returned, and stored nowhere. created_by: None at the terminal.

    Raises:
        ValidationError: expires_at is past, max_uses is out of range, or created_by may not invite that person.
    """
    invite = Invite(
        person=person,
        note=note,
        max_uses=max_uses,
        expires_at=expires_at or timezone.now() + LIFETIME,
        created_by=created_by,
        from_command=created_by is None,
    )
    invite.set_code()
    invite.full_clean()
    check(invite)
    invite.save(force_insert=True)
    logger.info("invite_created", extra={"invite": invite.pk, "staff": created_by.pk if created_by else None})
    return invite


def check(invite: Invite) -> None:
    """Check a new invite beyond its fields.

    Raises:
        ValidationError: it would have expired at once, or gives its maker somebody's rights.
    """
    if invite.expires_at and invite.expires_at <= timezone.now():
        raise ValidationError({"expires_at": _("This is in the past: choose a time to come.")})
    if not is_allowed(invite):
        raise ValidationError({"person": _refusal(invite)})


def is_allowed(invite: Invite) -> bool:
    """Return whether its maker may give away the rights of its person today: who has the code acts as them in chat.

    Staff are invited by who manages staff, people who have data by who manages addresses, both at the terminal. Of a
    maker who is gone nobody knows what they might: such an invite is good for whoever nothing hangs on.
    """
    if invite.created_by and not may(invite.created_by, Permission.MANAGE_PEOPLE):
        return False
    if invite.person is None:
        return True
    if invite.created_by is None:
        return invite.from_command or not (invite.person.is_staff or has_data(invite.person))
    return may_invite(invite.created_by, invite.person)


def may_invite(maker: User | None, person: User | None) -> bool:
    """Return whether somebody's role lets them invite this person; None: somebody new."""
    return may(maker, Permission.MANAGE_PEOPLE) and may_link(maker, person)


def _refusal(invite: Invite) -> Promise:
    if invite.person and invite.person.is_staff:
        return _("Only owners invite people who may sign in to the admin.")
    return _(
        "Only owners invite somebody who has an address already, or has written: whoever sends the code reads and "
        "decides as them."
    )


def renew_code(invite_id: int, maker: User) -> Invite | None:
    """Give an open invite a new code and return it with that; the old code is void at once. None: it has ended.

    Whoever has it made answers for the invite from then on: the code is theirs to give away.

    Raises:
        PermissionDenied: they may not make such an invite.
    """
    with transaction.atomic():
        chosen = Invite.objects.usable(timezone.now()).filter(pk=invite_id)
        invite = chosen.select_related("person").select_for_update(of=("self",)).first()
        if invite is None:
            return None
        if not may_invite(maker, invite.person):
            raise PermissionDenied
        invite.set_code()
        invite.created_by, invite.from_command = maker, False
        invite.save(update_fields=["digest", "created_by", "from_command"])
    logger.info("invite_code_renewed", extra={"invite": invite.pk, "staff": maker.pk})
    return invite


def redeem(code: str, channel: str, address: str, known_user: User | None, profile_name: str) -> Redemption:
    """Let in whoever sent the code from an address, in one transaction with the use that it costs.

    known_user: who the sender is already, as far as the caller knows. The name is mere decoration of a new person.
    Somebody who is in already uses up nothing. Who was taken off the whitelist is let in by an invite of their own
    only.
    """
    for _attempt in range(2):
        try:
            with transaction.atomic():
                return _redeem(code, channel, address, known_user, profile_name)
        except (AddressTaken, DuplicatePhoneNumber):
            # The same address joined elsewhere at this moment: now it is somebody's.
            continue
    return Redemption(Outcome.INVALID, known_user)


def _redeem(code: str, channel: str, address: str, known_user: User | None, profile_name: str) -> Redemption:
    now = timezone.now()
    # Locked before it is asked who the sender is, so that the same person twice at once costs one use.
    chosen = Invite.objects.usable(now).with_code(code)
    invite = chosen.select_related("person", "created_by").select_for_update(of=("self",)).first()
    if invite and not is_allowed(invite):
        invite = None
    sender = User.objects.for_identity(channel, address) or _fresh(known_user)
    if invite and sender and invite.person_id not in (None, sender.pk):
        logger.warning("identity_conflict", extra={"invite": invite.pk, "person": sender.pk})
        return Redemption(Outcome.TAKEN, sender)
    if sender and sender.is_whitelisted:
        return Redemption(Outcome.ALREADY_IN, sender)
    if invite is None or (sender and invite.person_id is None):
        return Redemption(Outcome.INVALID, sender)
    if not chosen.count_use(now):
        return Redemption(Outcome.INVALID, sender)
    person, linked = _let_in(invite, channel, address, profile_name)
    logger.info("invite_redeemed", extra={"invite": invite.pk, "person": person.pk})
    return Redemption(Outcome.JOINED, person, linked)


def _let_in(invite: Invite, channel: str, address: str, profile_name: str) -> tuple[User, bool]:
    if invite.person is None:
        return create_person(channel, address, profile_name), False
    linked = know_by(invite.person, channel, address)
    if linked:
        by = {"invite": invite.pk, "by": invite.created_by_id}
        note_linked(invite.person, channel, address, actor=None, via="chat", **by)
    allow_person(invite.person, By(via="chat"))
    return invite.person, linked


def _fresh(person: User | None) -> User | None:
    return None if person is None else User.objects.filter(pk=person.pk).first()
