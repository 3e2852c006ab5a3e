"""What commands about usage take as arguments."""

from django.core.management.base import CommandError

from users.models import User
from users.phone import InvalidPhoneNumber, read_number


def person(number: str | None) -> User | None:
    """Return the person with this phone number, in any spelling; None for None.

    Raises:
        CommandError: it is no phone number, or nobody's.
    """
    if number is None:
        return None
    try:
        read_number(number)
    except InvalidPhoneNumber as error:
        raise CommandError(f"--user: {error}") from None
    user = User.objects.find_by_phone_number(number)
    if user is None:
        raise CommandError("--user: nobody has this phone number. Who is known stands under People in the admin.")
    return user
