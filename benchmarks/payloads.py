"""Webhooks of the WhatsApp Cloud API as a load generator needs them: many, distinct, signed, made beforehand. Pure."""

import hashlib
import hmac
import json
from typing import Any

APP_SECRET = "a benchmark's app secret"  # noqa: S105 (of a bot that lives as long as a run)
PHONE_NUMBER_ID = "100200300"
BOT_SLUG = "bench"
WEBHOOK_PATH = f"/webhooks/whatsapp/{BOT_SLUG}/"
# As long as a real message of two sentences.
TEXT = "Hello, could you tell me when you are open on Saturday? I would like to come by with my bicycle."


def address(number: int) -> str:
    """Return the phone number of the nth person, as the channel knows them."""
    return f"+49151{number:08d}"


def body(message_id: str, person: int, timestamp: int, text: str = TEXT) -> bytes:
    """Return a webhook body with one text message, in the provider's own shape; timestamp in seconds."""
    phone = address(person)[1:]
    message = {"from": phone, "id": message_id, "timestamp": str(timestamp), "type": "text", "text": {"body": text}}
    contact = {"profile": {"name": "Bench Person"}, "wa_id": phone}
    return _webhook({"contacts": [contact], "messages": [message]})


def status_body(external_id: str, status: str, timestamp: int) -> bytes:
    """Return a webhook body that says what became of a message we have sent."""
    told = {"id": external_id, "status": status, "timestamp": str(timestamp), "recipient_id": address(0)[1:]}
    return _webhook({"statuses": [told]})


def _webhook(content: dict[str, Any]) -> bytes:
    metadata = {"display_phone_number": "4915100000000", "phone_number_id": PHONE_NUMBER_ID}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **content}
    entry = {"id": "300200100", "changes": [{"value": value, "field": "messages"}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":")).encode()


def signature(content: bytes) -> str:
    """Return the X-Hub-Signature-256 of a body."""
    return "sha256=" + hmac.digest(APP_SECRET.encode(), content, hashlib.sha256).hex()


def request(path: str, content: bytes) -> bytes:
    """Return the whole HTTP request that delivers a body on a connection kept alive."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        f"X-Hub-Signature-256: {signature(content)}\r\n\r\n"
    )
    return head.encode() + content
