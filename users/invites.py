"""Invites: make a code, and let in whoever sends it."""

import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from users.addresses import create_person, know_by
from users.linking import may_link, note_linked
from users.managers import AddressTaken, DuplicatePhoneNumber
from users.models import Invite, User

logger = logging.getLogger(__name__)

# Without letters and digits that look alike (0 O, 1 I L, U V): 12 of them hold 58 bits.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
LIFETIME = timedelta(days=7)
# The column's; what is longer is no code and is not looked for.
LONGEST_CODE = 32


class InviteState(models.TextChoices):
    """Whether an invite still lets somebody in, and if not, why."""

    OPEN = "open", _("open")
    USED_UP = "used up", _("used up")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


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

    Raises:
        ValidationError: expires_at is past, max_uses is out of range, or created_by may not invite that person.
    """
    invite = Invite(
        code=new_code(),
        person=person,
        note=note,
        max_uses=max_uses,
        expires_at=expires_at or timezone.now() + LIFETIME,
        created_by=created_by,
    )
    invite.full_clean()
    check(invite)
    invite.save(force_insert=True)
    logger.info("invite_created", extra={"invite": invite.pk, "staff": created_by.pk if created_by else None})
    return invite


def new_code() -> str:
    """Return a code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """Return the code that somebody wrote, or an empty string: in any case, among spaces and punctuation."""
    words = (re.sub(r"[^0-9A-Za-z]", "", word) for word in text[: 4 * LONGEST_CODE].split())
    code = next(filter(None, words), "")
    return code.upper() if len(code) <= LONGEST_CODE else ""


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
    """Return whether its maker may give away the rights of its person: whoever has the code acts as them in chat."""
    return may_link(invite.created_by, invite.person)


def _refusal(invite: Invite) -> Promise:
    if invite.person and invite.person.is_staff:
        return _("Only owners invite people who may sign in to the admin.")
    return _(
        "Only owners invite somebody who has an address already, or has written: whoever sends the code reads and "
        "decides as them."
    )


def state_of(invite: Invite) -> InviteState:
    """Return an invite's state. (The last use ends it, so that used up comes before expired.)"""
    if invite.revoked_at:
        return InviteState.REVOKED
    if invite.uses >= invite.max_uses:
        return InviteState.USED_UP
    return InviteState.OPEN if invite.expires_at > timezone.now() else InviteState.EXPIRED


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
    chosen = Invite.objects.usable(now).filter(code=code)
    invite = chosen.select_related("person", "created_by").select_for_update(of=("self",)).first()
    sender = User.objects.for_identity(channel, address) or _fresh(known_user)
    if invite and sender and invite.person_id not in (None, sender.pk):
        logger.warning("identity_conflict", extra={"invite": invite.pk, "person": sender.pk})
        return Redemption(Outcome.TAKEN, sender)
    if sender and sender.is_whitelisted:
        return Redemption(Outcome.ALREADY_IN, sender)
    if invite is None or not is_allowed(invite) or (sender and invite.person_id is None):
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
    return User.objects.update_whitelist(invite.person, True), linked


def _fresh(person: User | None) -> User | None:
    return None if person is None else User.objects.filter(pk=person.pk).first()
