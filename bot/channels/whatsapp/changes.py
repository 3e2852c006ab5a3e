"""Read what says that a person has another number or another id: Meta's system messages, and `user_id_update`.

Only fields are read, never the sentence beside them: it holds the person's profile name, which is theirs to choose.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from bot.channels.base import AddressChanged
from bot.channels.whatsapp import fields
from bot.channels.whatsapp.fields import Malformed, member

KIND = "system"
# The second is how versions before v12.0 said it (with new_wa_id for wa_id).
NUMBER_CHANGED = ("user_changed_number", "customer_changed_number")
ID_CHANGED = "user_changed_user_id"

Move = tuple[str, str]


def read_system(message: dict[str, Any], account_id: str) -> AddressChanged | None:
    """Return the event of a system message, or None: it is about something else, or does not say who it is about."""
    system = member(message, "system")
    kind = system.get("type")
    if "group_id" in message or (kind not in NUMBER_CHANGED and kind != ID_CHANGED):
        return None
    external_id = fields.identifier(message.get("id"))
    if not external_id:
        raise Malformed("the message has no usable id")
    sender = _name(message, "from", fields.phone_number)
    number = _name(system, "wa_id", fields.phone_number)
    if kind == ID_CHANGED:
        # A number that comes with it is the person's, before and after.
        sender = number = sender or number
    else:
        sender = sender or _name(system, "customer", fields.phone_number)
        number = number or _name(system, "new_wa_id", fields.phone_number)
    ids = ((f"previous_{key}", key) for key in ("user_id", "parent_user_id"))
    moves = [(_name(system, before, fields.bsuid), _name(system, after, fields.bsuid)) for before, after in ids]
    return _event(external_id, [(sender, number), *moves], account_id)


def read_update(update: dict[str, Any], account_id: str) -> AddressChanged | None:
    """Return the event of one item of `user_id_update`, or None: it does not say who it is about."""
    number = _name(update, "wa_id", fields.phone_number)
    moves = [(number, number)]
    for key in ("user_id", "parent_user_id"):
        if update.get(key) is not None:
            pair = member(update, key)
            moves.append((_name(pair, "previous", fields.bsuid), _name(pair, "current", fields.bsuid)))
    # It has no id of its own. (The time tells one change there and back from the next.)
    said = repr((account_id, moves, fields.moment(update.get("timestamp"))))
    return _event(f"user-id-update-{hashlib.sha256(said.encode()).hexdigest()[:32]}", moves, account_id)


def _event(external_id: str, moves: list[Move], account_id: str) -> AddressChanged | None:
    told = tuple(dict.fromkeys(move for move in moves if any(move)))
    names_somebody = any(old for old, _ in told)
    changes_something = any(new and new != old for old, new in told)
    return AddressChanged(external_id, told, account_id) if names_somebody and changes_something else None


def _name(parent: dict[str, Any], key: str, read: Callable[[Any], str]) -> str:
    """Return a number or id that may be absent, or an empty string."""
    value = parent.get(key)
    name = read(value)
    if value is not None and not name:
        raise Malformed(f'"{key}" is no number or id')
    return name
