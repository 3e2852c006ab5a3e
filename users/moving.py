"""Follow addresses that change hands: the provider says who is named how from now on.

An old address means nobody from then on, whoever had it, because a carrier gives a number to somebody else. The new one
means the person, unless it is in doubt whose it is: then it means nobody either, until staff decide. What the provider
tells late is measured by its own time: it takes nothing from who has an address since later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from django.db import transaction
from django.utils import timezone

from users.addresses import as_number, know_by
from users.linking import note_number, note_unlinked
from users.models import Identity, Tombstone, User
from users.number_lock import lock_numbers
from users.phone import is_e164, spellings

# (what named the person, what names them now); one side is empty where the provider does not say it.
Move = tuple[str, str]


class Moved(Enum):
    """What became of a change of addresses."""

    MOVED = "moved"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Change:
    """Names of one person on a channel: those that change hands, those that are theirs now, those that only say who."""

    channel: str
    at: datetime
    moves: tuple[Move, ...] = field(repr=False)

    @property
    def current(self) -> set[str]:
        """What names the person from now on."""
        return {new for _, new in self.moves if new}

    @property
    def former(self) -> set[str]:
        """What names nobody from now on, in every spelling."""
        kept = {text for new in self.current for text in spellings(new)}
        gone = {text for old, new in self.moves if old and old != new for text in spellings(old)}
        return gone - kept

    @property
    def about(self) -> set[str]:
        """What tells whom it is about: the old names, or where there is none, those that stay."""
        changed = {old for old, new in self.moves if old and old != new}
        return changed or {old for old, _ in self.moves if old}


def name_in_full(channel: str, moves: Sequence[Move], number_changed: bool = False) -> tuple[Move, ...]:
    """Add the old numbers that a change does not name, from what is known of the person.

    A number that the provider calls the person's, or a number that it says has changed, makes every other one by which
    the channel knows them one that they had before. number_changed: the event says so, and not which it was.
    """
    numbers = [new for _, new in moves if is_e164(new)]
    if not (number_changed or numbers) or any(is_e164(old) and old != new for old, new in moves):
        return tuple(moves)
    ids = [(channel, old) for old, _ in moves if old and not is_e164(old)]
    new = numbers[0] if numbers else ""
    people = {person.pk: person for person in User.objects.for_identities(ids).values()}
    known = [number for person in people.values() for number in _numbers(person, channel)]
    if any(number in spellings(new) for number in known):
        return tuple(moves)
    # The pair of equals said whom it is about: that is what the old number does.
    others = tuple(move for move in moves if not (known and move == (new, new)))
    # What is kept of the old number is found by what names the person now.
    now = new or next((one for _, one in moves if one), "")
    return (*others, *((number, now) for number in dict.fromkeys(known)))


def give_up(channel: str, moves: Sequence[Move], at: datetime | None) -> None:
    """Note that who had the old addresses has others since then, known to us or not."""
    _give_up(_change(channel, moves, at))


def move_addresses(channel: str, moves: Sequence[Move], at: datetime | None = None) -> tuple[Moved, User | None]:
    """Let a person's old addresses mean nobody, and the new ones that person.

    The person's phone number is one of their addresses. at: when the provider says it happened. CONFLICT: the old ones
    belong to several people, or a new one to somebody else; what is in doubt then means nobody. Returns the person as
    well, where there is one.
    """
    with transaction.atomic():
        return _move(_change(channel, moves, at))


def _change(channel: str, moves: Sequence[Move], at: datetime | None) -> Change:
    now = timezone.now()
    return Change(channel, min(at or now, now), tuple(moves))


def _give_up(change: Change) -> None:
    Tombstone.objects.give_up([(change.channel, one) for one in change.former], change.at)


def _move(change: Change) -> tuple[Moved, User | None]:
    lock_numbers(alone=True)
    _give_up(change)
    about = [person for person in _people(change) if _held(person, change, change.about)]
    if not about:
        return Moved.UNKNOWN, None
    lost = [_take_away(person, change, change.former) for person in about]
    if len(about) > 1:
        for person, number in zip(about, lost, strict=True):
            _note_number(person, number)
        return Moved.CONFLICT, None
    (person,), (number,) = about, lost
    current = sorted(change.current)
    free = [_free(person, change, new) for new in current]
    given = [new for new, is_free in zip(current, free, strict=True) if is_free]
    if number:
        _give_number(person, change, given)
        _note_number(person, number)
    for new in given:
        if know_by(person, change.channel, new):
            Identity.objects.filter(channel=change.channel, address=new).update(created_at=change.at)
    return (Moved.CONFLICT if None in free else Moved.MOVED), person


def _people(change: Change) -> list[User]:
    """Return who has the addresses that tell whom it is about, locked, in one order for everybody."""
    found = User.objects.for_identities((change.channel, one) for one in sorted(change.about))
    keys = {person.pk for person in found.values()}
    return list(User.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


def _numbers(person: User, channel: str) -> list[str]:
    known = person.identities.filter(channel=channel).values_list("address", flat=True)
    return [number for number in (person.phone_number, *known) if number and is_e164(number)]


def _held(person: User, change: Change, addresses: Iterable[str]) -> set[str]:
    """Return which of these addresses a person has, and had already when the change happened."""
    texts = {text for address in addresses for text in spellings(address)}
    since = {one.address: one.created_at for one in person.identities.filter(channel=change.channel, address__in=texts)}
    if person.phone_number in texts:
        since[str(person.phone_number)] = person.numbered_at or person.created_at
    # The provider's times are whole seconds.
    return {address for address, at in since.items() if at.replace(microsecond=0) <= change.at}


def _take_away(person: User, change: Change, addresses: Iterable[str]) -> str | None:
    """Let addresses that a person had then not name them any more; return their phone number if it is one of them."""
    texts = _held(person, change, addresses)
    found = Identity.objects.filter(user=person, channel=change.channel, address__in=texts)
    for address in found.values_list("address", flat=True):
        note_unlinked(person, change.channel, address, actor=None, via="chat", by="provider")
    found.delete()
    number = person.phone_number
    if number not in texts:
        return None
    _write_number(person, None, change.at)
    return number


def _free(person: User, change: Change, new: str) -> bool | None:
    """Return whether a new address can be the person's; None: it is in doubt whose it is, and it means nobody."""
    pair = change.channel, new
    left = Tombstone.objects.given_up([pair]).get(pair)
    if left and left > change.at:  # they have left it since
        return False
    holder = User.objects.exclude(pk=person.pk).holder_of(*pair)
    if holder is None:
        return True
    locked = User.objects.select_for_update(no_key=True).get(pk=holder.pk)
    _note_number(locked, _take_away(locked, change, [new]))
    return None


def _give_number(person: User, change: Change, given: Iterable[str]) -> None:
    """Write the new phone number of a person who has lost the old one, where they have one."""
    number = next(filter(None, map(as_number, given)), None)
    if number is not None and User.objects.exclude(pk=person.pk).holder_of(change.channel, number) is None:
        _write_number(person, number, change.at)


def _note_number(person: User, old: str | None) -> None:
    if old:
        note_number(person, old, person.phone_number, actor=None, via="chat", by="provider")


def _write_number(person: User, number: str | None, at: datetime) -> None:
    person.phone_number, person.numbered_at = number, at
    person.save(update_fields=["phone_number", "numbered_at", "updated_at"])
