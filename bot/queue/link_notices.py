"""Security notices to people that a new address was linked to them."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from bot.queue.notices import notify_person
from users.models import Pair, User

LINKED = _(
    "A new phone or address was linked to you: whoever writes from it is answered as you are. If this was not you, "
    "tell the people who run this service at once."
)


def tell_of_link(person: User, key: str, linked: Pair | None, formerly: Iterable[str] = ()) -> int:
    """Notify a person, in their other chats, that an address was just linked to them; return in how many chats.

    key: names the occasion. linked: the new address, which gets no notice. formerly: their numbers until then. Chats
    whose reply window is closed get none.
    """
    return notify_person(person, f"linked:{key}", LINKED, apart_from=linked, also=formerly)
