"""The WhatsApp channel: registration, signatures, and how a text or a document is sent."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bot.channels.channel import Channel
from bot.channels.connection import Account, Connection, Credential
from bot.channels.echo import sign_id
from bot.channels.events import Event, WebhookRequest
from bot.channels.rendering.dialects import WHATSAPP, Dialect
from bot.channels.sending import OutboundText, SendError
from bot.channels.whatsapp.events import parse_body
from bot.channels.whatsapp.fields import ACCOUNT_CODES, identifier, is_phone_number_id, phone_number
from bot.channels.whatsapp.reasons import REASONS

if TYPE_CHECKING:
    # (For types only, as below where something is sent: what only receives webhooks need not load it.)
    import aiohttp

SIGNATURE_HEADER = "X-Hub-Signature-256"
# The only one of its types of documents that is text. (application/json is none of them.)
DOCUMENT_TYPE = "text/plain"
# Meta's are digits. What is sent back is nothing that a browser could take for a page.
CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{1,256}")
# What people write between the digits of a number.
_BETWEEN_DIGITS = re.compile(r"[\s()./-]")


class WhatsAppChannel(Channel):
    """WhatsApp Cloud API. The account id is the phone number id."""

    slug: ClassVar[str] = "whatsapp"
    label: ClassVar[str | Promise] = _("WhatsApp (Cloud API)")
    account_label: ClassVar[str | Promise] = _("Phone number ID")
    account_help: ClassVar[str | Promise] = _(
        "Meta app dashboard → WhatsApp → API Setup → Phone number ID: about 15 digits, and not the number itself."
    )
    contact_help: ClassVar[str | Promise] = _(
        "The bot’s own phone number, such as +49 171 1234567: links that invite people open a chat with it."
    )
    about: ClassVar[str | Promise] = _(
        "People write to a phone number of yours on WhatsApp. Needs an app at Meta with WhatsApp, and its four values."
    )
    setup_steps: ClassVar[tuple[str | Promise, ...]] = (
        _("Press “Test connection”: Meta should answer with your business’s name and number."),
        _(
            "Meta app dashboard → WhatsApp → Configuration → Webhook: paste the webhook URL and the verify token, and "
            "press “Verify and save”."
        ),
        _("On the same page, subscribe to the field “messages”. Delivery receipts come with it."),
        _(
            "Subscribe the app to the WhatsApp Business Account, register a number of your own, and switch the app to "
            "“Live”: docs/whatsapp.md has the commands, in its part 4."
        ),
        _("Put somebody on the whitelist under “People”, and let them write to the number."),
    )
    max_text_length: ClassVar[int] = 4096
    dialect: ClassVar[Dialect | None] = WHATSAPP
    max_document_bytes: ClassVar[int] = 100 * 1024 * 1024
    url_setting: ClassVar[str] = "WHATSAPP_API_URL"
    reasons: ClassVar[Mapping[str, str | Promise]] = REASONS
    reply_window: ClassVar[timedelta | None] = timedelta(hours=24)
    reply_window_words: ClassVar[str | Promise] = _(
        "WhatsApp takes answers for 24 hours only: what waits for longer than that is not sent any more."
    )
    credentials: ClassVar[tuple[Credential, ...]] = (
        Credential(
            "access_token",
            _("Access token"),
            _(
                "Meta business settings → Users → System users → Generate token, without an end, with "
                "whatsapp_business_messaging and whatsapp_business_management. The one on the page “API Setup” ends "
                "after a day."
            ),
        ),
        Credential("app_secret", _("App secret"), _("Meta app dashboard → App settings → Basic → App secret → Show.")),
        Credential(
            "verify_token",
            _("Verify token"),
            _("Any text of your own: enter the same at Meta, where the webhook is set up."),
            made_up=True,
        ),
    )

    def handshake(self, account: Account, query: Mapping[str, str]) -> str | None:
        """Return the challenge to a registration that knows the bot's verify token, if it could be one of Meta's."""
        expected = account.credentials.get("verify_token", "")
        given = query.get("hub.verify_token") or ""
        known = bool(expected) and hmac.compare_digest(expected.encode(), given.encode(errors="replace"))
        if not known or query.get("hub.mode") != "subscribe":
            return None
        challenge = query.get("hub.challenge") or ""
        return challenge if CHALLENGE.fullmatch(challenge) else None

    def verify(self, account: Account, request: WebhookRequest) -> bool:
        """Return whether the body was signed with the bot's app secret."""
        secret = account.credentials.get("app_secret", "")
        given = request.headers.get(SIGNATURE_HEADER) or ""
        if not secret or not given:
            return False
        expected = "sha256=" + hmac.digest(secret.encode(), request.body, hashlib.sha256).hex()
        return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))

    def same_signer(self, one: Account, other: Account) -> bool:
        """Return whether both bots belong to one Meta app: it signs for all its phone numbers."""
        secrets = [account.credentials.get("app_secret", "").encode() for account in (one, other)]
        return bool(secrets[0]) and hmac.compare_digest(*secrets)

    def parse(self, account: Account, body: bytes) -> list[Event]:
        """Return every event of a genuine body, in order.

        Raises:
            InvalidBody: the body as a whole is not a WhatsApp webhook.
        """
        return parse_body(body, account.echo_keys)

    def is_of_account(self, error_code: str) -> bool:
        """Return whether a failed message's code is said of the whole account: payment, mostly."""
        return error_code.isdecimal() and int(error_code) in ACCOUNT_CODES

    def read_account_id(self, account_id: str) -> str:
        """Return the phone number id.

        Raises:
            ValueError: it is none.
        """
        value = account_id.strip()
        if value and not is_phone_number_id(value):
            raise ValueError(_("A phone number ID has digits only, about 15 of them."))
        return value

    def read_contact(self, contact: str) -> str:
        """Return the bot's phone number as + and digits.

        Raises:
            ValueError: it is none.
        """
        number = phone_number(_BETWEEN_DIGITS.sub("", contact))
        if contact.strip() and not number:
            raise ValueError(_("This must be the bot's phone number with its country code, such as +491711234567."))
        return number

    def invite_link(self, contact: str, code: str) -> str | None:
        """Return a link that opens a chat with the bot's number and has the command typed in it."""
        number = phone_number(_BETWEEN_DIGITS.sub("", contact))
        return f"https://wa.me/{number[1:]}?text={quote(f'/join {code}', safe='')}" if number else None

    async def check(self, client: aiohttp.ClientSession, account: Account) -> Connection:
        """Return the number and name of the phone number id, as the access token sees them.

        Raises:
            CheckError: see bot/channels/whatsapp/connection.py.
        """
        from bot.channels.whatsapp.connection import check

        return await check(client, account)

    async def upload(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        """Upload a document, as UTF-8, and return its id.

        Raises:
            SendError: it was not taken.
        """
        from bot.channels.whatsapp.api import upload

        return await upload(client, account, message.filename, message.text.encode(), DOCUMENT_TYPE)

    async def send(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        """Send one text, or the document that was uploaded, and return its wamid.

        Raises:
            SendError: it was not accepted, or it is not known whether it was.
        """
        from bot.channels.whatsapp.api import post

        # A number goes into `to` as digits; a person without one is reached by the BSUID.
        phone = message.address.startswith("+")
        content = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to" if phone else "recipient": message.address.removeprefix("+"),
            **_content(message),
        }
        if echo := sign_id(account.echo_keys, message.id):
            content["biz_opaque_callback_data"] = echo
        answer = await post(client, account, content)
        message_id = _first_message_id(answer)
        if not message_id:
            # A 200 says that it was taken; without an id nobody can tell what became of it.
            raise SendError("no_message_id", uncertain=True)
        return message_id

    async def show_typing(self, client: aiohttp.ClientSession, account: Account, external_id: str) -> None:
        """Mark the message as read and show the typing indicator, which lasts 25 seconds or until the reply.

        Raises:
            SendError: it was not accepted; nothing depends on it.
        """
        from bot.channels.whatsapp.api import post

        content = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": external_id,
            "typing_indicator": {"type": "text"},
        }
        await post(client, account, content)


def _content(message: OutboundText) -> dict[str, Any]:
    if message.filename:
        return {"type": "document", "document": {"id": message.upload_id, "filename": message.filename}}
    return {"type": "text", "text": {"body": message.text, "preview_url": False}}


def _first_message_id(answer: Any) -> str:
    messages = answer.get("messages") if isinstance(answer, dict) else None
    first = messages[0] if isinstance(messages, list) and messages else None
    return identifier(first.get("id")) if isinstance(first, dict) else ""
