"""Bootstrap of a fresh installation: an owner, and in development a demo bot and person."""

import secrets
from dataclasses import dataclass, field

from bot.models import Bot
from users.models import Role, User

# Numbers reserved for fiction.
DEMO_OWNER_NUMBER = "+12025550100"
DEMO_PERSON_NUMBER = "+12025550101"
DEMO_BOT = "demo"
PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class OwnerResult:
    """The owner. password: set only if it was just created, and not stored anywhere."""

    phone_number: str
    password: str | None = field(default=None, repr=False)


def find_owner() -> User | None:
    """Return the first owner who can sign in."""
    owners = User.objects.filter(role=Role.OWNER).exclude(phone_number=None).order_by("pk")
    return next((owner for owner in owners if owner.has_usable_password()), None)


def ensure_owner(raw_number: str) -> OwnerResult:
    """Make the person with this number an owner who can sign in and chat; create them if necessary.

    An existing password is kept.

    Raises:
        InvalidPhoneNumber: the number cannot be read.
        AddressTaken: the number is a channel's address of somebody with another number.
    """
    person = User.objects.find_by_phone_number(raw_number)
    if person is None:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        created = User.objects.create_superuser(raw_number, password, name="Owner", is_whitelisted=True)
        return OwnerResult(str(created.phone_number), password)
    if person.role != Role.OWNER:
        User.objects.update_role(person, Role.OWNER)
    if person.has_usable_password():
        return OwnerResult(str(person.phone_number))
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    person.set_password(password)
    person.save(update_fields=["password", "updated_at"])
    return OwnerResult(str(person.phone_number), password)


def ensure_demo() -> None:
    """Create the demo bot on the console channel and a whitelisted person; existing ones are kept."""
    Bot.objects.get_or_create(slug=DEMO_BOT, defaults={"name": "Demo", "channel": "console"})
    if User.objects.holder_of("", DEMO_PERSON_NUMBER) is None:
        User.objects.create_user(DEMO_PERSON_NUMBER, name="Demo person", is_whitelisted=True)
