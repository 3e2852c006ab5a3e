"""Read the body of a WhatsApp Cloud API webhook: pure functions from bytes to events.

One delivery may hold up to 1,000 updates of several phone numbers, in any order. Each is judged on its own: what is
malformed becomes a RejectedItem, what needs no attention nothing, and the others count.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NoReturn

from bot.channels.echo import read_id
from bot.channels.events import Event, InvalidBody, RejectedItem, ReportedError, StatusEvent
from bot.channels.whatsapp import changes, fields
from bot.channels.whatsapp.fields import Malformed
from bot.channels.whatsapp.messages import CONTACTS, MESSAGES, Unreadable, profile_names, read_message

OBJECT = "whatsapp_business_account"
# More than twice what a delivery may hold. Each may be a row of eleven values; SQLite takes 32,766 in a statement.
MOST_EVENTS = 2_500
# Meta's own errors, beside the messages or instead of them.
ERRORS = "errors"
MOST_ERRORS = 10
# Meta itself reports changed ids as messages; providers in between as a field of its own.
ID_UPDATES = "user_id_update"
STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}


def parse_body(body: bytes, echo_keys: Sequence[bytes] = ()) -> list[Event]:
    """Return every event of a genuine body, in order; echo_keys: of the account, for ids of ours that come back.

    Raises:
        InvalidBody: the body as a whole is not a WhatsApp webhook.
    """
    payload = _load(body)
    if not isinstance(payload, dict) or payload.get("object") != OBJECT:
        raise InvalidBody(f'the body must be a JSON object with "object": "{OBJECT}"')
    if not isinstance(payload.get("entry"), list):
        raise InvalidBody('the body\'s "entry" must be a list')
    events: list[Event] = []
    for entry in _objects(payload, "entry", events):
        for change in _objects(entry, "changes", events):
            # Account updates, calls, templates and the like arrive here too.
            if change.get("field") in (MESSAGES, ID_UPDATES):
                _read_value(change["field"], change.get("value"), events, echo_keys)
    return events


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder: Any = json.JSONDecoder(parse_constant=_refuse_constant)


def _load(body: bytes) -> Any:
    try:
        # Surrogates pass here, as their escapes do, and are cleaned out of every text.
        text = body.decode("utf-8", "surrogatepass").strip(" \t\n\r")
        payload, end = _decoder.scan_once(text, 0)
    except RecursionError:
        raise InvalidBody("the body is nested too deeply") from None
    except (ValueError, StopIteration):
        raise InvalidBody("the body is not JSON") from None
    if end != len(text):
        raise InvalidBody("the body is not JSON")
    return payload


def _objects(parent: dict[str, Any], key: str, events: list[Event]) -> Iterable[dict[str, Any]]:
    """Return the objects of a list that may be absent; whatever else is found there is rejected.

    Raises:
        InvalidBody: there are far more events than a delivery may have, and each would be a row.
    """
    items = parent.get(key)
    if items is None:
        return ()
    if not isinstance(items, list):
        events.append(RejectedItem(f'"{key}" is not a list'))
        return ()
    # (Most lists hold one object.)
    one = len(items) == 1 and isinstance(items[0], dict) and len(events) <= MOST_EVENTS
    return items if one else _each(items, key, events)


def _each(items: list[Any], key: str, events: list[Event]) -> Iterator[dict[str, Any]]:
    for item in items:
        if len(events) > MOST_EVENTS:
            raise InvalidBody(f"the body holds more than {MOST_EVENTS} events")
        if isinstance(item, dict):
            yield item
        else:
            events.append(RejectedItem(f'an item of "{key}" is not an object'))


def _read_value(kind: str, value: Any, events: list[Event], echo_keys: Sequence[bytes]) -> None:
    """Append the events of one change of a field."""
    if not isinstance(value, dict):
        events.append(RejectedItem('"value" is not an object'))
        return
    metadata = value.get("metadata")
    account_id = fields.identifier(metadata.get("phone_number_id")) if isinstance(metadata, dict) else ""
    if not account_id:
        # Whose message it is must not be guessed: it would be answered by the wrong bot.
        events.append(RejectedItem('"metadata" names no phone_number_id'))
        return
    if ERRORS in value:
        codes = dict.fromkeys(islice(fields.error_codes(value), MOST_ERRORS))
        events += [ReportedError(fields.written_code(code), account_id) for code in codes]
    if kind == ID_UPDATES:
        for update in _objects(value, ID_UPDATES, events):
            _append(events, update, changes.read_update, account_id)
        return
    if MESSAGES in value:
        names = profile_names(value.get(CONTACTS))
        for message in _objects(value, MESSAGES, events):
            _append(events, message, read_message, names, account_id, value)
    for status in _objects(value, "statuses", events):
        _append(events, status, _status, account_id, echo_keys)


def _append(events: list[Event], item: dict[str, Any], read: Callable[..., Event | None], *arguments: Any) -> None:
    try:
        event = read(item, *arguments)
    except Malformed as error:
        events.append(RejectedItem(str(error), fields.identifier(item.get("id"))))
        # (Put aside for the operator, and answered all the same.)
        event = error.event if isinstance(error, Unreadable) else None
    if event is not None:
        events.append(event)


def _status(status: dict[str, Any], account_id: str, echo_keys: Sequence[bytes]) -> StatusEvent | None:
    """Return the event of one delivery status, or None: a status that is new to us."""
    word = status.get("status")
    if not isinstance(word, str):
        raise Malformed("the status has no status")
    if word not in STATUSES:
        return None
    external_id = fields.identifier(status.get("id"))
    if not external_id:
        raise Malformed("the status has no usable id")
    return StatusEvent(
        external_id=external_id,
        status=STATUSES[word],
        outbound_id=read_id(echo_keys, status.get("biz_opaque_callback_data")),
        error_code=fields.error_code(status),
        account_id=account_id,
    )
