"""Who may link addresses to people, and how it is noted that somebody did."""

from typing import Any

from users.models import AuditEntry, User
from users.permissions import Permission, may
from users.phone import is_e164, mask

# What is shown of an id, and how long it has to be for that.
HEAD, TAIL, LEAST = 3, 2, 9


def may_link(maker: User | None, person: User | None) -> bool:
    """Return whether somebody may give an address to a person: whoever writes from it reads and decides as them.

    Of staff for who manages staff; of anybody who has been in contact, has an address or any data for who manages
    addresses. maker: None is whoever has the server's terminal, who may do everything; person: None is somebody new.
    """
    if maker is None or person is None:
        return True
    if person.is_staff and not may(maker, Permission.MANAGE_STAFF):
        return False
    return may(maker, Permission.MANAGE_ADDRESSES) or not has_data(person)


def has_data(person: User) -> bool:
    """Return whether anything hangs on a person but their name: an address, a contact, a row that is theirs."""
    if person.phone_number or person.last_seen_at:
        return True
    related: list[Any] = [one for one in person._meta.get_fields(include_hidden=True) if one.one_to_many]
    return any(
        one.related_model._base_manager.filter(**{one.field.name: person.pk}).exists()
        for one in related
        # An invite says nothing about whom it is for: it may be the first one for somebody new.
        if one.related_model._meta.label != "users.Invite"
    )


def masked(address: str) -> str:
    """Return an address for the audit log: a number's country code and last digits, an id's ends."""
    if is_e164(address):
        return mask(address)
    return f"{address[:HEAD]}…{address[-TAIL:]}" if len(address) >= LEAST else "…"


def note_linked(person: User, channel: str, address: str, *, actor: User | None, via: str, **more: Any) -> None:
    """Write into the audit log that an address was added to a person."""
    _note("linked", person, actor, via, {"channel": channel, "to": masked(address), **more})


def note_unlinked(person: User, channel: str, address: str, *, actor: User | None, via: str, **more: Any) -> None:
    """Write into the audit log that an address was taken from a person."""
    _note("unlinked", person, actor, via, {"channel": channel, "from": masked(address), **more})


def note_number(person: User, old: str | None, new: str | None, *, actor: User | None, via: str, **more: Any) -> None:
    """Write into the audit log that a person's phone number changed; None: they had or have none."""
    numbers = {"from": old and masked(old), "to": new and masked(new)}
    _note("number", person, actor, via, {**{key: number for key, number in numbers.items() if number}, **more})


def _note(action: str, person: User, actor: User | None, via: str, details: dict[str, Any]) -> None:
    AuditEntry.objects.create(
        action=AuditEntry.Action(action), subject=person.pk, actor=actor, via=via, details=details
    )
