"""Webhooks as WhatsApp sends them, of every kind: what the mutations start from."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

from bot.tests.support.echoes import echo

PHONE_NUMBER_ID = "100200300"
NOW = int(time.time())
NUMBERS = [f"49151{number:08d}" for number in range(40)]
# Small enough for ids to be repeated and for statuses to find messages that were sent.
KNOWN_IDS = 2_000

Node = dict[str, Any]


def message_id(source: Random) -> str:
    """Return a message's id, new or now and then one that was there before."""
    number = source.randrange(KNOWN_IDS) if source.random() < 0.1 else source.getrandbits(64)
    return f"wamid.HBgN{number:020d}"


def sent_id(number: int) -> str:
    """Return the id that the stand-in for WhatsApp gives to our message."""
    return f"wamid.SENT{number}"


def bsuid(number: str) -> str:
    """Return the business-scoped id of the person with this number."""
    return f"DE.1349{number}"


def _media(source: Random, **more: Any) -> Node:
    media = {"id": str(source.getrandbits(48)), "mime_type": "image/jpeg", "sha256": "q83vEjRWeJA="}
    return {**media, **({"caption": "Look at this"} if source.random() < 0.5 else {}), **more}


def _interactive(kind: str, reply: Node) -> Callable[[Random], Node]:
    return lambda source: {"type": "interactive", "interactive": {"type": kind, kind: dict(reply)}}


def _of_media(kind: str, **more: Any) -> Callable[[Random], Node]:
    return lambda source: {"type": kind, kind: _media(source, **more)}


def _text(source: Random) -> Node:
    words = ("Hello", "/help", "/usage", "/reset", "Grüße 👋🏽\r\nHow are you?", "a\u0301 b", "What? " * 40, "/none")
    return {"type": "text", "text": {"body": source.choice(words)}}


def _system(source: Random) -> Node:
    old, new = source.choice(NUMBERS), source.choice(NUMBERS)
    ids = {"previous_user_id": bsuid(old), "user_id": bsuid(new)}
    return source.choice(
        (
            {"type": "user_changed_number", "wa_id": new, "body": f"User A changed from {old} to {new}"},
            {"type": "user_changed_number", "wa_id": new, **ids},
            {"type": "user_changed_user_id", **ids},
            {"type": "customer_changed_number", "customer": old, "new_wa_id": new},
            {"type": "customer_identity_changed", "identity": "q83vEjRWeJA=", "customer": old},
        )
    )


def _id_updates(source: Random) -> Node:
    old, new = source.choice(NUMBERS), source.choice(NUMBERS)
    pairs = {"user_id": {"previous": bsuid(old), "current": bsuid(new)}}
    update = {"wa_id": new, "detail": "User id has been updated.", **pairs, "timestamp": str(NOW)}
    metadata = {"display_phone_number": "4930123456", "phone_number_id": PHONE_NUMBER_ID}
    return {"messaging_product": "whatsapp", "metadata": metadata, "user_id_update": [update]}


FORM = '{"flow_token": "t", "colour": ["red", "white"], "address": {"street": "Main", "number": 1}, "gift": true}'
ITEM = {"product_retailer_id": "rose-1", "quantity": 3, "item_price": 2.5, "currency": "EUR"}

KINDS: dict[str, Callable[[Random], Node]] = {
    "text": _text,
    "image": _of_media("image"),
    "audio": _of_media("audio", voice=True),
    "video": _of_media("video"),
    "document": _of_media("document", filename="bill.pdf"),
    "sticker": _of_media("sticker", animated=False),
    "location": lambda source: {"type": "location", "location": {"latitude": 52.5, "longitude": 13.4, "name": "Café"}},
    "contacts": lambda source: {
        "type": "contacts",
        "contacts": [{"name": {"formatted_name": "Bob", "first_name": "Bob"}, "phones": [{"phone": "+49 30 1"}]}],
    },
    "button_reply": _interactive("button_reply", {"id": "yes", "title": "Yes, please"}),
    "list_reply": _interactive("list_reply", {"id": "mon", "title": "Monday", "description": "9 to 5"}),
    "nfm_reply": _interactive("nfm_reply", {"name": "flow", "body": "Sent", "response_json": FORM}),
    "button": lambda source: {"type": "button", "button": {"payload": "p", "text": "Stop"}},
    "reaction": lambda source: {"type": "reaction", "reaction": {"message_id": message_id(source), "emoji": "👍"}},
    "system": lambda source: {"type": "system", "system": _system(source)},
    "order": lambda source: {
        "type": "order",
        "order": {"catalog_id": "1", "text": "Fast", "product_items": [dict(ITEM)]},
    },
    "edit": lambda source: {"type": "edit", "edit": {"original_message_id": message_id(source)}},
    "revoke": lambda source: {"type": "revoke", "revoke": {"original_message_id": message_id(source)}},
    "unsupported": lambda source: {"type": "unsupported", "errors": [{"code": 131051, "title": "Unsupported"}]},
    "poll": lambda source: {
        "type": "unsupported",
        "errors": [{"code": 131051}],
        "unsupported": {"type": source.choice(("poll_creation", "group_invite", "edit"))},
    },
    "unavailable": lambda source: {
        "type": "unsupported",
        "errors": [{"code": 131060, "title": "This message is currently unavailable"}],
        "unsupported": {"type": "unknown"},
    },
    "quote": lambda source: {
        **_text(source),
        "context": {
            "from": source.choice(NUMBERS),
            "id": source.choice((message_id(source), sent_id(source.randrange(1, KNOWN_IDS)))),
            "forwarded": source.random() < 0.5,
            "referred_product": {"catalog_id": "1", "product_retailer_id": "rose-1"},
        },
    },
    "ad": lambda source: {
        **_text(source),
        "referral": {
            "source_url": "https://fb.me/1",
            "source_type": "ad",
            "headline": "Roses",
            "body": "Half price",
            "media_type": "image",
            "ctwa_clid": "x",
        },
    },
    "group": lambda source: {**_text(source), "group_id": "Y2FwaV9ncm91cDox"},
}


def message(source: Random, kind: str = "") -> Node:
    """Return one item of messages[]."""
    number = source.choice(NUMBERS)
    sender: Node = {"from": number}
    if source.random() < 0.3:
        sender = {**(sender if source.random() < 0.5 else {}), "from_user_id": bsuid(number)}
    return {
        **sender,
        "id": message_id(source),
        "timestamp": str(NOW - source.randrange(7_200)),
        **KINDS[kind or source.choice(sorted(KINDS))](source),
    }


def status(source: Random) -> Node:
    """Return one item of statuses[], often of a message that exists."""
    word = source.choice(("sent", "delivered", "read", "failed", "played", "deleted"))
    number = source.randrange(1, KNOWN_IDS)
    item: Node = {
        "id": sent_id(number),
        "status": word,
        "timestamp": str(NOW),
        "recipient_id": source.choice(NUMBERS),
        "conversation": {"id": "c1", "origin": {"type": "service"}},
        "pricing": {"billable": True, "pricing_model": "PMP", "category": "service"},
    }
    if source.random() < 0.5:
        item["biz_opaque_callback_data"] = echo(number)
    if word == "failed":
        item["errors"] = [{"code": 131026, "title": "Message undeliverable", "error_data": {"details": "why"}}]
    return item


def value(messages: list[Any], statuses: list[Any], account: str = PHONE_NUMBER_ID, *, errors: bool = False) -> Node:
    """Return one change's value, with the contacts of its messages."""
    numbers = [item["from"] for item in messages if "from" in item]
    contacts = [{"profile": {"name": "Alice"}, "wa_id": number, "user_id": bsuid(number)} for number in numbers]
    lists = {"contacts": contacts, "messages": messages, "statuses": statuses}
    metadata = {"display_phone_number": "4930123456", "phone_number_id": account}
    return {
        "messaging_product": "whatsapp",
        "metadata": metadata,
        **{name: items for name, items in lists.items() if items},
        **({"errors": [{"code": 131000}]} if errors else {}),
    }


def change(source: Random) -> Node:
    """Return one change: mostly messages and statuses, now and then of another number or another field."""
    if source.random() < 0.05:
        return {"field": source.choice(("account_update", "calls")), "value": {"event": "X"}}
    if source.random() < 0.05:
        return {"field": "user_id_update", "value": _id_updates(source)}
    account = PHONE_NUMBER_ID if source.random() < 0.95 else "999"
    messages = [message(source) for _ in range(source.choice((0, 1, 1, 1, 2, 5)))]
    statuses = [status(source) for _ in range(source.choice((0, 0, 1, 3)))]
    return {"field": "messages", "value": value(messages, statuses, account, errors=source.random() < 0.1)}


def body(source: Random) -> Node:
    """Return a whole delivery."""
    entries = [
        {"id": str(source.getrandbits(40)), "changes": [change(source) for _ in range(source.choice((1, 1, 1, 2)))]}
        for _ in range(source.choice((1, 1, 1, 3)))
    ]
    return envelope(entries)


def envelope(entries: list[Any]) -> Node:
    """Return a delivery of these entries."""
    return {"object": "whatsapp_business_account", "entry": entries}


def messages_body(messages: list[Any]) -> Node:
    """Return a delivery of these messages to one number; they need not be messages."""
    metadata = {"display_phone_number": "4930123456", "phone_number_id": PHONE_NUMBER_ID}
    return envelope(
        [{"id": "1", "changes": [{"field": "messages", "value": {"metadata": metadata, "messages": messages}}]}]
    )
