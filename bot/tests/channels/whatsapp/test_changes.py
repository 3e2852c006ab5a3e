"""How WhatsApp and those in between say that a person has another number or id; and what is no such thing."""

import json
from typing import Any

import pytest

from bot.channels.base import Account, AddressChanged, Event, RejectedItem
from bot.channels.registry import get_channel
from bot.tests.support.factories import PHONE_NUMBER_ID, whatsapp_body, whatsapp_value

CHANNEL = get_channel("whatsapp")
OLD, NEW = "16505551234", "12195555358"
OLD_ID, NEW_ID = "US.13491208655302741918", "US.24817305912873645029"
OLD_PARENT, NEW_PARENT = "US.ENT.11815799212886844830", "US.ENT.22815799212886844831"
NUMBERS, IDS, PARENTS = (f"+{OLD}", f"+{NEW}"), (OLD_ID, NEW_ID), (OLD_PARENT, NEW_PARENT)


def system(sender: Any = OLD, id: Any = "wamid.change", **system: Any) -> list[Event]:
    """Return the events of a system message; without a sender where it is None."""
    message = {"id": id, "timestamp": "1795161600", "type": "system", "system": system}
    if sender is not None:
        message["from"] = sender
    return CHANNEL.parse(Account("shop"), whatsapp_body(whatsapp_value(messages=[message])))


def update(**update: Any) -> list[Event]:
    """Return the events of one item of the field user_id_update."""
    value = whatsapp_value(
        user_id_update=[{"detail": "User id has been updated.", "timestamp": "1700000003", **update}]
    )
    change = {"field": "user_id_update", "value": value}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    return CHANNEL.parse(Account("shop"), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("label", "sender", "fields", "moves"),
    [
        ("as documented", OLD, {"type": "user_changed_number", "wa_id": NEW}, (NUMBERS,)),
        (
            "with the new id",
            OLD,
            {"type": "user_changed_number", "wa_id": NEW, "user_id": NEW_ID},
            (NUMBERS, ("", NEW_ID)),
        ),
        (
            "with both ids",
            OLD,
            {
                "type": "user_changed_number",
                "wa_id": NEW,
                "user_id": NEW_ID,
                "previous_user_id": OLD_ID,
                "parent_user_id": NEW_PARENT,
                "previous_parent_user_id": OLD_PARENT,
            },
            (NUMBERS, IDS, PARENTS),
        ),
        (
            "before v12",
            None,
            {"type": "customer_changed_number", "customer": OLD, "new_wa_id": NEW},
            (NUMBERS,),
        ),
        ("since v12", OLD, {"type": "customer_changed_number", "wa_id": NEW, "identity": "x"}, (NUMBERS,)),
        (
            "without numbers",
            None,
            {"type": "user_changed_user_id", "user_id": NEW_ID, "previous_user_id": OLD_ID},
            (IDS,),
        ),
        (
            "an id, of a known number",
            OLD,
            {"type": "user_changed_user_id", "user_id": NEW_ID, "wa_id": OLD},
            ((f"+{OLD}", f"+{OLD}"), ("", NEW_ID)),
        ),
    ],
)
def test_a_system_message_says_who_is_named_how_from_now_on(
    label: str, sender: str | None, fields: dict[str, Any], moves: Any
) -> None:
    assert system(sender, **fields) == [AddressChanged("wamid.change", moves, PHONE_NUMBER_ID)], label


def test_the_field_of_those_in_between_says_the_same_and_is_recognised_again() -> None:
    pairs = {"user_id": {"previous": OLD_ID, "current": NEW_ID}}
    (event,) = update(**pairs)
    assert isinstance(event, AddressChanged)
    assert (event.moves, event.account_id) == ((IDS,), PHONE_NUMBER_ID)
    assert update(**pairs) == [event]
    (later,) = update(**pairs, timestamp="1700000004")
    assert isinstance(later, AddressChanged)
    assert later.external_id != event.external_id

    (full,) = update(wa_id=NEW, **pairs, parent_user_id={"previous": OLD_PARENT, "current": NEW_PARENT})
    assert isinstance(full, AddressChanged)
    assert full.moves == ((f"+{NEW}", f"+{NEW}"), IDS, PARENTS)


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("another note", {"type": "customer_identity_changed", "wa_id": NEW}),
        ("no type", {"wa_id": NEW}),
        ("a type that is none", {"type": ["user_changed_number"], "wa_id": NEW}),
        ("no change", {"type": "user_changed_number", "wa_id": OLD}),
        ("nothing new", {"type": "user_changed_number"}),
        ("what cannot be said of whom", {"sender": None, "type": "user_changed_user_id", "user_id": NEW_ID}),
        (
            "a name that reads like a change",
            {"sender": None, "type": "user_changed_user_id", "body": f"User changed from {OLD_ID} to {NEW_ID}"},
        ),
    ],
)
def test_what_changes_nobodys_address_is_left_out(label: str, fields: dict[str, Any]) -> None:
    assert system(**fields) == [], label


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "user_changed_number", "wa_id": 12195555358},
        {"type": "user_changed_number", "wa_id": "1" * 40},
        {"type": "user_changed_number", "wa_id": {"x": NEW}},
        {"type": "user_changed_number", "wa_id": NEW, "sender": ["1"]},
        {"type": "user_changed_number", "wa_id": NEW, "user_id": "US." + "1" * 4_000},
        {"type": "user_changed_number", "wa_id": NEW, "previous_user_id": "\u0000"},
        {"type": "user_changed_user_id", "user_id": True, "previous_user_id": OLD_ID},
        {"type": "user_changed_number", "wa_id": NEW, "id": None},
        {"type": "user_changed_number", "wa_id": NEW, "id": "x" * 256},
    ],
)
def test_a_change_that_cannot_be_read_is_rejected(fields: dict[str, Any]) -> None:
    (event,) = system(**fields)
    assert isinstance(event, RejectedItem)


@pytest.mark.parametrize(
    "fields",
    [{"user_id": "x"}, {"user_id": {"previous": 1, "current": NEW_ID}}, {"wa_id": [], "user_id": {"current": NEW_ID}}],
)
def test_an_update_that_cannot_be_read_is_rejected(fields: dict[str, Any]) -> None:
    (event,) = update(**fields)
    assert isinstance(event, RejectedItem)


@pytest.mark.parametrize("fields", [{}, {"user_id": {}}, {"user_id": {"previous": OLD_ID, "current": OLD_ID}}])
def test_an_update_that_updates_nothing_is_left_out(fields: dict[str, Any]) -> None:
    assert update(**fields) == []


def test_a_group_is_nobody() -> None:
    note = {"type": "user_changed_number", "wa_id": NEW}
    message = {"id": "wamid.1", "from": OLD, "group_id": "Y2F", "type": "system", "system": note}
    assert CHANNEL.parse(Account("shop"), whatsapp_body(whatsapp_value(messages=[message]))) == []
