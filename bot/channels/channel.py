"""The contract between Parley and a messaging provider: what an adapter is given, and what it gives back.

An adapter knows its provider's protocol and nothing else: no Django model, no language model, no pipeline.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bot.channels.connection import Account, Connection, Credential
from bot.channels.events import Event, WebhookRequest
from bot.channels.sending import OutboundText

if TYPE_CHECKING:
    # (For types only: it takes 9 MB, and what only receives webhooks never sends.)
    import aiohttp

    from bot.channels.rendering.dialects import Dialect


class Channel(ABC):
    """A provider adapter. Instances hold no state: one serves every bot and every thread."""

    slug: ClassVar[str]
    label: ClassVar[str | Promise]
    max_text_length: ClassVar[int]
    # In which marks it shows bold, code and so on: a model's Markdown is rendered so. None: it is sent as it is.
    dialect: ClassVar[Dialect | None] = None
    # How large a document may be, in bytes; 0: the channel has none.
    max_document_bytes: ClassVar[int] = 0
    credentials: ClassVar[tuple[Credential, ...]] = ()
    account_label: ClassVar[str | Promise] = ""
    account_help: ClassVar[str | Promise] = ""
    contact_help: ClassVar[str | Promise] = ""
    # For operators: what the channel is, and what is to be done at the provider once the bot is saved, step by step.
    about: ClassVar[str | Promise] = ""
    setup_steps: ClassVar[tuple[str | Promise, ...]] = ()
    # The name of the setting with the URL that its secrets are sent to.
    url_setting: ClassVar[str] = ""
    # What codes of the provider's mean: words that follow "because" or "it was refused:".
    reasons: ClassVar[Mapping[str, str | Promise]] = {}
    # How long after a person's last message the provider lets us answer freely; None: always. And that in words.
    reply_window: ClassVar[timedelta | None] = None
    reply_window_words: ClassVar[str | Promise] = ""
    # Whether people read what is sent in the outbox itself, so that it has to stand there for a while.
    reads_outbox: ClassVar[bool] = False

    def handshake(self, account: Account, query: Mapping[str, str]) -> str | None:
        """Return what a GET for the webhook's registration is answered with, or None: refused (403)."""
        return None

    @abstractmethod
    def verify(self, account: Account, request: WebhookRequest) -> bool:
        """Return whether the delivery is genuine. Constant time, over the raw body; False when no secret is set."""

    @abstractmethod
    def parse(self, account: Account, body: bytes) -> list[Event]:
        """Return every event of a genuine body, in order; what needs no attention is left out.

        Raises:
            InvalidBody: the body as a whole is not the channel's.
        """

    def same_signer(self, one: Account, other: Account) -> bool:
        """Return whether a delivery that is genuine for one account is genuine for the other, too."""
        return False

    def is_of_account(self, error_code: str) -> bool:
        """Return whether a failed message's code says that the provider takes nothing from the account any more."""
        return False

    def read_account_id(self, account_id: str) -> str:
        """Return what an operator entered as the account's id, as it is stored. Adapters may put it into a URL's path.

        Raises:
            ValueError: no account is called so; the text says what would be right.
        """
        value = account_id.strip()
        if value and not value.strip("."):
            raise ValueError(_("This is no account id."))
        return value

    def read_contact(self, contact: str) -> str:
        """Return what an operator entered as the bot's contact, as it is stored.

        Raises:
            ValueError: people cannot write to that; the text says what would be right.
        """
        return contact.strip()

    def invite_link(self, contact: str, code: str) -> str | None:
        """Return a link that opens a chat with the contact and sends the code, where the channel has such links."""
        return None

    @abstractmethod
    async def check(self, client: aiohttp.ClientSession, account: Account) -> Connection:
        """Ask the provider who we are. Nothing is sent to anybody; whatever keeps it from telling is a CheckError."""

    async def upload(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        """Give a document's content to the provider, where that comes before its message; return what it is called.

        Nobody gets to see it by that. So it is never uncertain, and is repeated after a crash.

        Raises:
            SendError: it was not accepted.
        """
        return ""

    @abstractmethod
    async def send(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        """Send one text, or one document (to channels that have them), and return the provider's id of it.

        Raises:
            SendError: it was not accepted, or it is not known whether it was.
        """

    async def show_typing(self, client: aiohttp.ClientSession, account: Account, external_id: str) -> None:
        """Mark the inbound message as read and show that a reply is coming. Best effort: failures raise SendError."""
        return None
