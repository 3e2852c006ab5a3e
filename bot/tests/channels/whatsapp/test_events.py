"""WhatsApp webhooks: who may deliver, and what is read from a delivery, however odd it is."""

import contextlib
import json
from typing import Any

import pytest

from bot.channels.echo import sign_id
from bot.channels.events import InboundEvent, InvalidBody, RejectedItem, StatusEvent
from bot.channels.whatsapp.events import MOST_EVENTS
from bot.tests.channels.whatsapp.bodies import ACCOUNT, BSUID, CHANNEL, KEYS, REPLY_BUTTON, body, change, message, parse

pytestmark = pytest.mark.promise("batch")


def status(**changes: Any) -> dict[str, Any]:
    ordinary = {"id": "wamid.OURS1", "status": "sent", "timestamp": "1795161600", "recipient_id": "4915123456789"}
    return {key: value for key, value in {**ordinary, **changes}.items() if value is not None}


@pytest.mark.parametrize("field", ["account_update", "calls", "message_template_status_update"])
def test_other_fields_than_messages_are_left_out(field: str) -> None:
    assert parse(change(field=field, messages=[message()]), {"field": field}) == []


# --- statuses ---


@pytest.mark.parametrize(
    ("label", "fields", "expected"),
    [
        ("sent", {}, StatusEvent("wamid.OURS1", "sent")),
        ("delivered", {"status": "delivered"}, StatusEvent("wamid.OURS1", "delivered")),
        ("read", {"status": "read"}, StatusEvent("wamid.OURS1", "read")),
        ("a played voice message was read", {"status": "played"}, StatusEvent("wamid.OURS1", "read")),
        ("our id", {"biz_opaque_callback_data": sign_id(KEYS, 42)}, StatusEvent("wamid.OURS1", "sent", 42)),
        ("signed before", {"biz_opaque_callback_data": sign_id(KEYS[1:], 42)}, StatusEvent("wamid.OURS1", "sent", 42)),
        ("an unsigned id", {"biz_opaque_callback_data": "42"}, StatusEvent("wamid.OURS1", "sent")),
        ("another's id", {"biz_opaque_callback_data": sign_id([b"b"], 42)}, StatusEvent("wamid.OURS1", "sent")),
        ("another's data", {"biz_opaque_callback_data": "campaign-7"}, StatusEvent("wamid.OURS1", "sent")),
        ("digits that are none", {"biz_opaque_callback_data": "٤٢"}, StatusEvent("wamid.OURS1", "sent")),
        ("too large for an id", {"biz_opaque_callback_data": "9" * 19}, StatusEvent("wamid.OURS1", "sent")),
        ("our id as a number", {"biz_opaque_callback_data": 42}, StatusEvent("wamid.OURS1", "sent")),
        (
            "failed with its reason",
            {"status": "failed", "errors": [{"code": 131047, "title": "Re-engagement message"}]},
            StatusEvent("wamid.OURS1", "failed", error_code="131047"),
        ),
        ("failed without", {"status": "failed", "errors": "none"}, StatusEvent("wamid.OURS1", "failed")),
        ("failed oddly", {"status": "failed", "errors": [{"code": [1]}]}, StatusEvent("wamid.OURS1", "failed")),
    ],
)
def test_a_status_is_read(label: str, fields: dict, expected: StatusEvent) -> None:
    (event,) = parse(change(statuses=[status(**fields)]))
    assert event == StatusEvent(
        expected.external_id, expected.status, expected.outbound_id, expected.error_code, "100000000000001"
    ), label


def test_a_status_that_is_new_to_us_is_left_out() -> None:
    assert parse(change(statuses=[status(status="deleted"), status(status="warning")])) == []


# --- batches and odd items ---


def test_every_update_of_a_delivery_counts_in_order_each_for_its_own_number() -> None:
    first = change(messages=[message(id="wamid.1"), message(id="wamid.2")], statuses=[status(id="wamid.3")])
    second = change(number="100000000000009", messages=[message(id="wamid.4")])
    content = {"object": "whatsapp_business_account", "entry": [{"changes": [first]}, {"changes": [second]}]}
    events = CHANNEL.parse(ACCOUNT, json.dumps(content).encode())
    read = [event for event in events if isinstance(event, InboundEvent | StatusEvent)]
    assert [(event.account_id, event.external_id) for event in read] == [
        ("100000000000001", "wamid.1"),
        ("100000000000001", "wamid.2"),
        ("100000000000001", "wamid.3"),
        ("100000000000009", "wamid.4"),
    ]


@pytest.mark.parametrize(
    ("label", "odd"),
    [
        ("no object", 7),
        ("no id", status(id=None)),
        ("an endless id", status(id="w" * 256)),
        ("no status", status(status=None)),
        ("a status that is none", status(status={})),
    ],
)
def test_a_malformed_status_is_rejected_and_the_others_count(label: str, odd: Any) -> None:
    kinds = [type(event) for event in parse(change(statuses=[status(), odd, status()]))]
    assert kinds == [StatusEvent, RejectedItem, StatusEvent], label


@pytest.mark.parametrize(
    ("label", "odd"),
    [
        ("a change that is none", "messages"),
        ("a value that is none", {"field": "messages", "value": []}),
        ("no metadata", {"field": "messages", "value": {"messages": [message()]}}),
        ("metadata that is none", {"field": "messages", "value": {"metadata": "1", "messages": [message()]}}),
        ("no number", {"field": "messages", "value": {"metadata": {}, "messages": [message()]}}),
        ("messages that are none", change(messages={"id": "wamid.9"})),
        ("statuses that are none", change(statuses="sent")),
    ],
)
def test_a_malformed_change_is_rejected_and_the_others_count(label: str, odd: Any) -> None:
    kinds = [type(event) for event in parse(change(messages=[message()]), odd, change(messages=[message()]))]
    assert kinds == [InboundEvent, RejectedItem, InboundEvent], label


# --- bodies ---


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("nothing", b""),
        ("broken JSON", b'{"object": '),
        ("no UTF-8", b'{"object": "\xff\xfe"}'),
        ("NaN", b'{"object": "whatsapp_business_account", "entry": [], "extra": NaN}'),
        ("Infinity", b'{"object": "whatsapp_business_account", "entry": [], "extra": -Infinity}'),
        ("deep nesting", b"[" * 200_000),
        ("deep nesting of objects", b'{"a":' * 200_000),
        (
            "an integer of 5,000 digits",
            b'{"object": "whatsapp_business_account", "entry": [], "x": ' + b"9" * 5_000 + b"}",
        ),
        ("a list", b"[]"),
        ("a text", b'"whatsapp_business_account"'),
        ("another object", b'{"object": "page", "entry": []}'),
        ("no object", b'{"entry": []}'),
        ("no entries", b'{"object": "whatsapp_business_account"}'),
        ("entries that are none", b'{"object": "whatsapp_business_account", "entry": {}}'),
    ],
)
def test_a_body_that_is_not_whatsapps_is_invalid_and_says_why(label: str, content: bytes) -> None:
    with pytest.raises(InvalidBody, match="body"):
        CHANNEL.parse(ACCOUNT, content)


def test_escapes_that_no_database_holds_and_duplicate_keys_do_no_harm() -> None:
    content = body(change(messages=[message(text={"body": "TEXT"})])).replace(
        b'"TEXT"', rb'"a\u0000\ud800b", "body": "c\udfff"'
    )
    (event,) = CHANNEL.parse(ACCOUNT, content)
    assert isinstance(event, InboundEvent)
    assert event.text == "c"


def test_surrogates_in_raw_bytes_are_cleaned_too() -> None:
    content = body(change(messages=[message(text={"body": "TEXT"})])).replace(b"TEXT", b"a\xed\xa0\x80b")
    (event,) = CHANNEL.parse(ACCOUNT, content)
    assert isinstance(event, InboundEvent)
    assert event.text == "ab"


def test_far_more_items_than_whatsapp_sends_are_refused_before_each_is_a_row() -> None:
    with pytest.raises(InvalidBody, match="more than"):
        parse(change(messages=[7] * (MOST_EVENTS + 10)))


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, True, [[]], {"a": {}}])
def test_any_type_anywhere_is_survived(odd: Any) -> None:
    whole = message(type="interactive", interactive=REPLY_BUTTON, errors=[{"code": 1}], from_user_id=BSUID)
    parts = change(
        contacts=[{"wa_id": "1", "profile": {"name": "A"}}], messages=[whole], statuses=[status(errors=[{"code": 1}])]
    )
    for content in variants({"entry": [{"id": "1", "changes": [parts]}]}, odd):
        with contextlib.suppress(InvalidBody):
            CHANNEL.parse(ACCOUNT, json.dumps({"object": "whatsapp_business_account", **content}).encode())


def variants(content: Any, odd: Any) -> list[Any]:
    """Return copies of a JSON value, each with one of its nodes replaced by the odd one."""
    copies = []
    nodes = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, node in nodes:
        for variant in [odd, *variants(node, odd)]:
            copy = dict(content) if isinstance(content, dict) else list(content)
            copy[key] = variant
            copies.append(copy)
    return copies
