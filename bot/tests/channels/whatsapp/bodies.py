"""Bodies of webhooks as WhatsApp sends them."""

import json
from datetime import UTC, datetime
from typing import Any

from bot.channels.connection import Account
from bot.channels.events import Event, InboundEvent
from bot.channels.whatsapp import WhatsAppChannel

BSUID = "DE.4815162342"
MEDIA = {"id": "300000000000003", "mime_type": "image/jpeg", "sha256": "abc"}
REPLY_BUTTON = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes, please"}}
REPLY_LIST = {"type": "list_reply", "list_reply": {"id": "1", "title": "Monday", "description": "9 to 5"}}
REPLY_FLOW = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}}
CHANNEL = WhatsAppChannel()
SECRETS = {"app_secret": "app-secret", "access_token": "access-token", "verify_token": "verify-token"}
KEYS = (b"our key", b"our former key")
ACCOUNT = Account(bot="support", account_id="100000000000001", credentials=SECRETS, echo_keys=KEYS)
SENT_AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def message(**changes: Any) -> dict[str, Any]:
    """Return a text message of Alice's; None removes a field."""
    ordinary = {
        "from": "4915123456789",
        "id": "wamid.ALICE1",
        "timestamp": str(int(SENT_AT.timestamp())),
        "type": "text",
        "text": {"body": "Hello"},
    }
    return {key: value for key, value in {**ordinary, **changes}.items() if value is not None}


def change(number: str = "100000000000001", field: str = "messages", **value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "4930123456", "phone_number_id": number}
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}


def body(*changes: dict[str, Any]) -> bytes:
    entries = [{"id": "200000000000002", "changes": list(changes)}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()


def parse(*changes: dict[str, Any]) -> list[Event]:
    return CHANNEL.parse(ACCOUNT, body(*changes))


def parse_message(**changes: Any) -> Event | None:
    events = parse(change(messages=[message(**changes)]))
    return events[0] if events else None


def interactive(kind: str, **reply: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def form(answers: Any, **more: Any) -> dict[str, Any]:
    written = answers if isinstance(answers, str) else json.dumps(answers)
    return interactive("nfm_reply", name="flow", response_json=written, **more)


def words(**fields: Any) -> tuple[str, str, str]:
    event = parse_message(**fields)
    assert isinstance(event, InboundEvent)
    return event.kind, event.text, event.note
