"""A stand-in of WhatsApp's Cloud API (graph.facebook.com): it accepts what the real one accepts."""

import itertools
import re
import secrets
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.dev.standins.server import Answer, StandInServer

PATH = re.compile(r"/v\d+\.\d+/(\d+)(?:/(messages|media))?")
# What every account says of itself. (A number that is nobody's.)
PROFILE = {"display_phone_number": "+1 555-010-0001", "verified_name": "Stand-in & Sons", "quality_rating": "GREEN"}
LONGEST_TEXT = 4096
LARGEST_DOCUMENT_BYTES = 100 * 1024 * 1024
# Of the types that documents may have, those that the real one takes files of text for.
DOCUMENT_TYPES = ("text/plain",)


def graph_error(status: int, code: int, message: str, kind: str = "OAuthException") -> Answer:
    """Return an error as the Graph API words it."""
    return Answer(
        {"error": {"message": f"(#{code}) {message}", "type": kind, "code": code, "fbtrace_id": "standin"}}, status
    )


class WhatsAppStandIn(StandInServer):
    """POST /{version}/{phone_number_id}/messages and /media: sends, read receipts with typing indicator, uploads.

    GET /{version}/{phone_number_id}?fields=…: who it is.
    """

    name = "whatsapp"

    def __init__(self, log: Path | None = None, delay: float = 0.0) -> None:
        super().__init__(log, delay)
        self.run = secrets.token_hex(4)
        self.numbers = itertools.count(1)
        self.uploaded: set[str] = set()

    def answer(self, request: web.BaseRequest, body: Any, text: str | None) -> Answer:
        """Answer as the Cloud API does: a new message id a send, `success` a read receipt."""
        path = PATH.fullmatch(request.path)
        if not path or request.method != ("POST" if path[2] else "GET"):
            return graph_error(404, 100, "Unsupported request: object does not exist", "GraphMethodException")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token.strip():
            return graph_error(401, 190, "Invalid OAuth access token - Cannot parse access token")
        if not path[2]:
            fields = request.query.get("fields", "").split(",")
            return Answer({"id": path[1], **{name: PROFILE[name] for name in fields if name in PROFILE}})
        if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
            return graph_error(400, 100, "The parameter messaging_product is required.")
        if path[2] == "media":
            return self.upload(body)
        if body.get("status") == "read":
            if not body.get("message_id"):
                return graph_error(400, 100, "The parameter message_id is required.")
            return Answer({"success": True})
        return self.send(body)

    def upload(self, form: dict[str, Any]) -> Answer:
        """Accept one file, or refuse it with the reason the Cloud API would give."""
        file = form.get("file")
        if not isinstance(file, dict) or not file["content"]:
            return graph_error(400, 100, "The parameter file is required.")
        if form.get("type") != file["type"] or file["type"] not in DOCUMENT_TYPES:
            return graph_error(400, 100, f"Param file must be a file with one of the following types: {DOCUMENT_TYPES}")
        if len(file["content"].encode()) > LARGEST_DOCUMENT_BYTES:
            return graph_error(400, 100, "Param file is too large.")
        media_id = str(secrets.randbelow(10**16))
        self.uploaded.add(media_id)
        return Answer({"id": media_id}, id=media_id)

    def send(self, body: dict[str, Any]) -> Answer:
        """Accept one text or document, or refuse it with the reason the Cloud API would give."""
        to, recipient = body.get("to"), body.get("recipient")
        if not to and not recipient:
            return graph_error(400, 100, "The parameter to is required.")
        if refused := self.refused_document(body) if body.get("type") == "document" else refused_text(body):
            return refused
        message_id = f"wamid.{self.run}{next(self.numbers):010d}"
        contact = {"input": to, "wa_id": to} if to else {"input": recipient, "user_id": recipient}
        accepted = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message_id}]}
        return Answer(accepted, id=message_id)

    def refused_document(self, body: dict[str, Any]) -> Answer | None:
        """Return why a document cannot be sent, if it cannot."""
        document = body.get("document")
        if not isinstance(document, dict) or document.get("id") not in self.uploaded:
            return graph_error(400, 100, "Param document['id'] is not a valid media id.")
        return None


def refused_text(body: dict[str, Any]) -> Answer | None:
    """Return why a text cannot be sent, if it cannot."""
    message = body.get("text")
    text = message.get("body") if isinstance(message, dict) else None
    if body.get("type") != "text" or not isinstance(text, str) or not text.strip():
        return graph_error(400, 100, "The parameter text['body'] is required.")
    if len(text) > LONGEST_TEXT:
        return graph_error(400, 100, "Param text['body'] must be at most 4096 characters long.")
    return None
