"""Read what says that a person has another number or another id: Meta's system messages, and `user_id_update`.

Only fields are read, never the sentence beside them: it holds the person's profile name, which is theirs to choose.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.channels.events import AddressChanged
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
    if message.get("group_id") is not None or (kind not in NUMBER_CHANGED and kind != ID_CHANGED):
        return None
    external_id = fields.identifier(message.get("id"))
    if not external_id:
        raise Malformed("the message has no usable id")
    sender, sender_id = _sender(message)
    number = _name(system, "wa_id", fields.phone_number)
    if kind == ID_CHANGED:
        # A number that comes with it is the person's, before and after.
        sender = number = sender or number
    else:
        sender = sender or _name(system, "customer", fields.phone_number)
        number = number or _name(system, "new_wa_id", fields.phone_number)
    ids = ((f"previous_{key}", key) for key in ("user_id", "parent_user_id"))
    moves = [(_name(system, before, fields.bsuid), _name(system, after, fields.bsuid)) for before, after in ids]
    before, after = moves[0]
    unnamed = kind != ID_CHANGED and not sender
    if not before and (sender_id or unnamed):
        # Whom it is about tell the id it came from, or the one they have now.
        moves[0] = (sender_id or after, after or sender_id)
    at = fields.moment(message.get("timestamp"))
    return _event(external_id, [(sender, number), *moves], account_id, at, unnamed)


def _sender(message: dict[str, Any]) -> tuple[str, str]:
    """Return the number and the id of who a system message came from; an id may stand where a number is expected."""
    sender, sender_id = message.get("from"), _name(message, "from_user_id", fields.bsuid)
    if fields.bsuid(sender):
        return "", sender_id or str(sender)
    return _name(message, "from", fields.phone_number), sender_id


def read_update(update: dict[str, Any], account_id: str) -> AddressChanged | None:
    """Return the event of one item of `user_id_update`, or None: it does not say who it is about."""
    number = _name(update, "wa_id", fields.phone_number)
    moves = [(number, number)]
    for key in ("user_id", "parent_user_id"):
        if update.get(key) is not None:
            pair = member(update, key)
            moves.append((_name(pair, "previous", fields.bsuid), _name(pair, "current", fields.bsuid)))
    # It has no id of its own. (The time tells one change there and back from the next.)
    at = fields.moment(update.get("timestamp"))
    said = repr((account_id, moves, at))
    return _event(f"user-id-update-{hashlib.sha256(said.encode()).hexdigest()[:32]}", moves, account_id, at)


def _event(
    external_id: str, moves: list[Move], account_id: str, at: datetime | None, number_changed: bool = False
) -> AddressChanged | None:
    told = tuple(dict.fromkeys(move for move in moves if any(move)))
    names_somebody = any(old for old, _ in told)
    changes_something = any(new and new != old for old, new in told)
    if not names_somebody or not (changes_something or number_changed):
        return None
    return AddressChanged(external_id, told, account_id, at, number_changed)


def _name(parent: dict[str, Any], key: str, read: Callable[[Any], str]) -> str:
    """Return a number or id that may be absent, or an empty string."""
    value = parent.get(key)
    name = read(value)
    if value is not None and not name:
        raise Malformed(f'"{key}" is no number or id')
    return name
