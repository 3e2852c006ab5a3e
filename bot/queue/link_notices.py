"""Tell people that an address was linked to them: whoever writes from it is answered as they are."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from bot.queue.notices import notify_person
from users.models import Pair, User

LINKED = _(
    "A new phone or address was linked to you: whoever writes from it is answered as you are. If this was not you, "
    "tell the people who run this service at once."
)


def tell_of_link(person: User, key: str, linked: Pair | None, formerly: Iterable[str] = ()) -> int:
    """Tell somebody, in the chats they have had until now, that an address is theirs since just now.

    key: names the occasion. linked: what is not told. formerly: numbers that were theirs until then. Returns to how
    many chats; one in which nothing was written within the provider's window gets no notice.
    """
    return notify_person(person, f"linked:{key}", LINKED, apart_from=linked, also=formerly)
