"""What a message says: the kinds a person expects an answer to, and where each keeps its words."""

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

from bot.channels.events import TEXT, UNAVAILABLE
from bot.channels.whatsapp.fields import has_code, member, string
from bot.channels.words import fact, joined, named_values, objects, told

UNSUPPORTED = "unsupported"
UNSUPPORTED_CODE = 131051
# The person did write something, and WhatsApp could not hand it over; the first text after an ad, mostly.
UNAVAILABLE_CODE = 131060
# What of the kinds inside "unsupported" is done to a message, rather than said: it needs no answer.
MOST_ANSWERS = 100
SILENT = frozenset({"edit", "keep_in_chat", "pin", "poll_update", "reaction", "revoke"})

# What the person wrote, and what else the message holds, in words for the model.
Words = tuple[str, str]
# None: the message turns out to need no answer. Raises Malformed.
Reader = Callable[[dict[str, Any]], Words | None]


def reader(kind: str, message: dict[str, Any]) -> tuple[str, Reader | None]:
    """Return our kind of a message of WhatsApp's kind, and what reads it; None: it needs no answer.

    Reactions, edits, deletions, system notes and kinds yet to come need none.
    """
    if kind in WRITTEN:
        return TEXT, WRITTEN[kind]
    if kind in OTHERS:
        return kind, OTHERS[kind]
    return _unsupported(kind, message)


def unreadable_kind(message: dict[str, Any]) -> str:
    """Return our kind of a message whose content nobody can read."""
    return UNAVAILABLE if has_code(message, UNAVAILABLE_CODE) else UNSUPPORTED


def _unsupported(kind: str, message: dict[str, Any]) -> tuple[str, Reader | None]:
    ours = unreadable_kind(message)
    answered = kind == UNSUPPORTED or ours == UNAVAILABLE or has_code(message, UNSUPPORTED_CODE)
    return ours, _inner_kind if answered else None


def _inner_kind(message: dict[str, Any]) -> Words | None:
    inner = message.get(UNSUPPORTED)
    kind = inner.get("type") if isinstance(inner, dict) else None
    if isinstance(kind, str) and kind in SILENT:
        return None
    if unreadable_kind(message) == UNAVAILABLE:
        return "", "[a message that WhatsApp could not hand over]"
    words = fact(kind, 50).replace("_", " ")
    return "", "" if words in ("", "unknown", "errors") else told("unsupported", words)


def _body(message: dict[str, Any]) -> Words:
    return string(member(message, "text"), "body"), ""


def _button(message: dict[str, Any]) -> Words:
    return _chosen(member(message, "button"), "text", "payload", "button payload")


def _interactive(message: dict[str, Any]) -> Words | None:
    interactive = member(message, "interactive")
    kind = string(interactive, "type")
    return REPLIES[kind](member(interactive, kind)) if kind in REPLIES else None


def _chosen(reply: dict[str, Any], title: str, id: str, label: str) -> Words:
    """Return what was chosen: its title, and its id where that says something else; without a title the id."""
    told_id = fact(reply.get(id))
    text = told_id if told_id and not fact(reply.get(title)) else string(reply, title)
    return text, told(label, told_id if told_id != text else "")


def _button_reply(reply: dict[str, Any]) -> Words:
    return _chosen(reply, "title", "id", "button id")


def _list_reply(reply: dict[str, Any]) -> Words:
    text, note = _chosen(reply, "title", "id", "list id")
    return text, joined(told("description", fact(reply.get("description"))), note)


def _form(reply: dict[str, Any]) -> Words:
    """Return the answers of a flow. What stands in its body ("Sent") is Meta's, in the person's language."""
    answers = reply.get("response_json")
    try:
        # (Relays write JSON of JSON.)
        for _ in range(2):
            answers = json.loads(answers) if isinstance(answers, str) else answers
    except (ValueError, RecursionError):
        answers = None
    facts = islice(named_values(answers, without=NO_ANSWERS), MOST_ANSWERS) if isinstance(answers, dict) else ()
    return told("form", *facts) or string(reply, "body"), ""


def _media(message: dict[str, Any]) -> Words:
    kind = message["type"]
    media = member(message, kind)
    caption = "" if media.get("caption") is None else string(media, "caption")
    label = "voice message" if media.get("voice") is True else MEDIA[kind]
    return caption, told(label, fact(media.get("filename"), 200), always=True)


def _order(message: dict[str, Any]) -> Words:
    order = member(message, "order")
    text = "" if order.get("text") is None else string(order, "text")
    return text, told("order", *map(_item, objects(order.get("product_items"))))


def _item(item: dict[str, Any]) -> str:
    name, quantity = fact(item.get("product_retailer_id"), 100), fact(item.get("quantity"), 20)
    price, currency = fact(item.get("item_price"), 20), fact(item.get("currency"), 20)
    many = f"{quantity} × {name}" if quantity and name else name
    return f"{many} at {price} {currency}".rstrip() if many and price else many


def _location(message: dict[str, Any]) -> Words:
    place = message.get("location")
    if not isinstance(place, dict):
        return "", ""
    latitude, longitude = fact(place.get("latitude"), 20), fact(place.get("longitude"), 20)
    point = f"{latitude}, {longitude}" if latitude and longitude else ""
    return "", told("place", fact(place.get("name")), fact(place.get("address")), point)


def _contacts(message: dict[str, Any]) -> Words:
    return "", told("contacts", *map(_contact, objects(message.get("contacts"))))


def _contact(card: dict[str, Any]) -> str:
    name = card.get("name")
    name = name if isinstance(name, dict) else {}
    parts = (fact(name.get(key), 100) for key in ("first_name", "last_name"))
    called = fact(name.get("formatted_name"), 200) or " ".join(filter(None, parts))
    phones = (fact(phone.get("phone"), 40) or fact(phone.get("wa_id"), 40) for phone in objects(card.get("phones")))
    emails = (fact(email.get("email"), 100) for email in objects(card.get("emails")))
    company = fact(member(card, "org").get("company"), 100) if isinstance(card.get("org"), dict) else ""
    return ", ".join(filter(None, (called, company, *phones, *emails)))


# What Meta adds to the answers of a form: a secret that tells who may answer, and which flow it was.
NO_ANSWERS = frozenset({"flow_token", "wa_flow_response_params"})
REPLIES: dict[str, Callable[[dict[str, Any]], Words]] = {
    "button_reply": _button_reply,
    "list_reply": _list_reply,
    "nfm_reply": _form,
}
# What is shown of a file: nobody reads it yet, but the model knows that it is there.
MEDIA = {
    "image": "picture",
    "video": "video",
    "document": "document",
    "audio": "audio",
    "voice": "voice message",
    "sticker": "sticker",
}
WRITTEN: dict[str, Reader] = {TEXT: _body, "interactive": _interactive, "button": _button}
OTHERS: dict[str, Reader] = {
    **dict.fromkeys(MEDIA, _media),
    "order": _order,
    "location": _location,
    "contacts": _contacts,
}
