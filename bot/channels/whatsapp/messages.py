"""Read one message of a person: who sent it, what it says, and what it belongs to."""

import hashlib
from typing import Any

from bot.channels.events import TEXT, Event, InboundEvent
from bot.channels.whatsapp import changes, content, fields
from bot.channels.whatsapp.fields import Malformed
from bot.channels.words import fact, joined, told
from bot.text import clean

LONGEST_NAME = 100
# The app lets people write 65,536 characters; what is longer was not written by one.
LONGEST_TEXT = 65_536
MESSAGES, CONTACTS = "messages", "contacts"


class Unreadable(Malformed):
    """A message cannot be read, but it is known who sent it: `event` is what they are answered for."""

    def __init__(self, reason: str, event: InboundEvent) -> None:
        super().__init__(reason)
        self.event = event


def read_message(
    message: dict[str, Any], names: dict[str, str], account_id: str, value: dict[str, Any]
) -> Event | None:
    """Return the event of one message, or None: reactions, edits, most system notes, groups and kinds yet to come.

    value: the change that it stands in.

    Raises:
        Malformed: it is not what WhatsApp sends; Unreadable where it is known who is to be told so.
    """
    kind = message.get("type")
    if kind == changes.KIND:
        return changes.read_system(message, account_id)
    if message.get("group_id") is not None:
        return None
    if not isinstance(kind, str):
        return _inbound(content.UNSUPPORTED, _no_kind, message, names, account_id, value)
    kind, read = content.reader(kind, message)
    return None if read is None else _inbound(kind, read, message, names, account_id, value)


def _inbound(
    kind: str,
    read: content.Reader,
    message: dict[str, Any],
    names: dict[str, str],
    account_id: str,
    value: dict[str, Any],
) -> InboundEvent | None:
    external_id = fields.identifier(message.get("id"))
    if not external_id:
        raise Malformed("the message has no usable id")
    phone, bsuid = fields.phone_number(message.get("from")), fields.bsuid(message.get("from_user_id"))
    if not phone and not bsuid:
        phone, bsuid = _sender(message, value)
    note = quotes = problem = ""
    try:
        words = read(message)
        if words is None:
            return None
        text, note = words
        text = clean(text[:LONGEST_TEXT])
        if kind == TEXT and not text.strip():
            raise Malformed("the message has no text")
    except Malformed as error:
        kind, text, problem = content.unreadable_kind(message), "", str(error)
        # (An id of its own: a copy of the message that can be read is answered as well.)
        external_id = f"unreadable-{hashlib.sha256(external_id.encode(errors='replace')).hexdigest()[:32]}"
    if "context" in message or "referral" in message:
        about, quotes = _belongs_to(message)
        note = joined(note, about)
    event = InboundEvent(
        external_id=external_id,
        address=phone or bsuid,
        kind=kind,
        text=text,
        sent_at=fields.moment(message.get("timestamp")),
        account_id=account_id,
        other_address=bsuid if phone else "",
        profile_name=names.get(phone[1:]) or names.get(bsuid) or "",
    )
    if note or quotes:
        event = event._replace(note=note, quotes=quotes)
    if problem:
        raise Unreadable(problem, event)
    return event


def profile_names(contacts: Any) -> dict[str, str]:
    """Return the names people gave themselves, by phone number and by BSUID. Mere decoration: bad ones are left out."""
    names: dict[str, str] = {}
    for contact in contacts if isinstance(contacts, list) else ():
        profile = contact.get("profile") if isinstance(contact, dict) else None
        name = profile.get("name") if isinstance(profile, dict) else None
        if isinstance(name, str):
            name = " ".join(clean(name[: 4 * LONGEST_NAME]).split())[:LONGEST_NAME]
            for key in (contact.get("wa_id"), contact.get("user_id")):
                if isinstance(key, str):
                    names[key] = name
    return names


def _no_kind(message: dict[str, Any]) -> content.Words:
    raise Malformed("the message has no type")


def _sender(message: dict[str, Any], value: dict[str, Any]) -> tuple[str, str]:
    """Return the number and the BSUID of who sent a message that does not name them where Meta does.

    Relays put a BSUID where a number is expected. A message that names nobody is that of the one contact of its change,
    if it is the only message there.

    Raises:
        Malformed: nobody can be told to have sent it.
    """
    sender = message.get("from")
    phone, bsuid = "", fields.bsuid(sender)
    if not sender and not message.get("from_user_id"):
        phone, bsuid = _only_contact(value)
    if not phone and not bsuid:
        raise Malformed("the message has no usable sender")
    return phone, bsuid


def _only_contact(value: dict[str, Any]) -> tuple[str, str]:
    contacts, messages = value.get(CONTACTS), value.get(MESSAGES)
    if not (isinstance(contacts, list) and isinstance(messages, list) and len(contacts) == len(messages) == 1):
        return "", ""
    contact = contacts[0] if isinstance(contacts[0], dict) else {}
    named = contact.get("wa_id")
    return fields.phone_number(named), fields.bsuid(contact.get("user_id")) or fields.bsuid(named)


def _belongs_to(message: dict[str, Any]) -> tuple[str, str]:
    """Return in words what a message came from (an ad, a product, another chat), and the id of the one it quotes."""
    context, referral = message.get("context"), message.get("referral")
    lines, quotes = [], ""
    if isinstance(context, dict):
        quotes = fields.identifier(context.get("id"))
        if context.get("forwarded") is True or context.get("frequently_forwarded") is True:
            lines.append("[forwarded]")
        product = context.get("referred_product")
        if isinstance(product, dict):
            lines.append(told("asks about the product", fact(product.get("product_retailer_id"), 100)))
    if isinstance(referral, dict):
        label = "came from a post" if referral.get("source_type") == "post" else "came from an ad"
        facts = (fact(referral.get(key)) for key in ("headline", "body", "source_url"))
        lines.append(told(label, *facts, always=True))
    return joined(*lines), quotes
