"""A stand-in of WhatsApp's Cloud API (graph.facebook.com): it accepts what the real one accepts."""

import itertools
import re
import secrets
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.standins.server import Answer, StandInServer

MESSAGES_PATH = re.compile(r"/v\d+\.\d+/(\d+)/messages")
LONGEST_TEXT = 4096


def graph_error(status: int, code: int, message: str, kind: str = "OAuthException") -> Answer:
    """Return an error as the Graph API words it."""
    return Answer(
        {"error": {"message": f"(#{code}) {message}", "type": kind, "code": code, "fbtrace_id": "standin"}}, status
    )


class WhatsAppStandIn(StandInServer):
    """POST /{version}/{phone_number_id}/messages: sends, and the read receipt with the typing indicator."""

    name = "whatsapp"

    def __init__(self, log: Path | None = None, delay: float = 0.0) -> None:
        super().__init__(log, delay)
        self.run = secrets.token_hex(4)
        self.numbers = itertools.count(1)

    def answer(self, request: web.BaseRequest, body: Any, text: str | None) -> Answer:
        """Answer as the Cloud API does: a new message id a send, `success` a read receipt."""
        if request.method != "POST" or not MESSAGES_PATH.fullmatch(request.path):
            return graph_error(404, 100, "Unsupported request: object does not exist", "GraphMethodException")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token.strip():
            return graph_error(401, 190, "Invalid OAuth access token - Cannot parse access token")
        if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
            return graph_error(400, 100, "The parameter messaging_product is required.")
        if body.get("status") == "read":
            if not body.get("message_id"):
                return graph_error(400, 100, "The parameter message_id is required.")
            return Answer({"success": True})
        return self.send(body)

    def send(self, body: dict[str, Any]) -> Answer:
        """Accept one text, or refuse it with the reason the Cloud API would give."""
        to, recipient = body.get("to"), body.get("recipient")
        if not to and not recipient:
            return graph_error(400, 100, "The parameter to is required.")
        message = body.get("text")
        text = message.get("body") if isinstance(message, dict) else None
        if body.get("type") != "text" or not isinstance(text, str) or not text.strip():
            return graph_error(400, 100, "The parameter text['body'] is required.")
        if len(text) > LONGEST_TEXT:
            return graph_error(400, 100, "Param text['body'] must be at most 4096 characters long.")
        message_id = f"wamid.{self.run}{next(self.numbers):010d}"
        contact = {"input": to, "wa_id": to} if to else {"input": recipient, "user_id": recipient}
        accepted = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message_id}]}
        return Answer(accepted, id=message_id)
