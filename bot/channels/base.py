"""The contract between Parley and a messaging provider: what an adapter is given, and what it gives back.

An adapter knows its provider's protocol and nothing else: no Django model, no language model, no pipeline.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bot.channels.connection import Connection, Credential

if TYPE_CHECKING:
    # (For types only: it takes 9 MB, and what only receives webhooks never sends.)
    import aiohttp

    from bot.channels.rendering.dialects import Dialect

TEXT = "text"
# The kind of what somebody did write, and the provider could not hand over: they can send it again.
UNAVAILABLE = "unavailable"
# Kinds whose `note` says all there is to say: they are answered as a text is.
TOLD = frozenset({"location", "contacts", "order"})


@dataclass(frozen=True, slots=True)
class Account:
    """The part of a bot an adapter may know: its slug, the provider's id of the account, and its credentials.

    `echo_keys` sign the ids of messages that the provider echoes (bot/channels/echo.py): the first signs, former ones
    are still understood. Without any, no id is sent along and none is read.
    """

    bot: str
    account_id: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    echo_keys: tuple[bytes, ...] = field(default=(), repr=False)


class Headers(Protocol):
    """The headers of a request, whatever read them: names are case-insensitive."""

    def get(self, name: str, /) -> str | None:
        """Return a header's value, or None."""


class WebhookRequest(NamedTuple):
    """A webhook delivery before anything is believed about it. (A tuple, as there is one for each.)"""

    headers: Headers
    body: bytes


class InboundEvent(NamedTuple):
    """One message somebody sent to the bot. (A tuple, as there is one for each.)

    `address` is how the channel names the person (E.164 where there is a phone number); `other_address` a second name
    of the same person in the same message (WhatsApp's BSUID). `kind` is "text" or the provider's word for what it is.
    `text` is what the person wrote or chose. `note` is what else the message holds, in English words for the model, in
    brackets. `quotes` is the provider's id of the earlier message that this one answers. All of them are cleaned: no
    control characters but newline and tab, no lone surrogates.
    """

    external_id: str
    address: str
    kind: str
    text: str = ""
    sent_at: datetime | None = None
    account_id: str = ""
    other_address: str = ""
    profile_name: str = ""
    note: str = ""
    quotes: str = ""


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """What became of an outbound message: status is sent, delivered, read or failed.

    `outbound_id` is our own id echoed by the provider, where it echoes one that we have signed. `error_code` is the
    provider's.
    """

    external_id: str
    status: str
    outbound_id: int | None = None
    error_code: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class RejectedItem:
    """An item of a batch that could not be understood; the others of its batch still count."""

    reason: str
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class ReportedError:
    """The provider says that something of its own went wrong, with no message it belongs to; `code` is its own."""

    code: str
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """A person is named otherwise from now on: pairs of (what named them, what names them now).

    One side of a pair is empty where the provider does not say it; a pair of equals says who it is about. `external_id`
    recognises the event when it is delivered again. `at`: when it happened, where the provider says so.
    `number_changed`: the number did, and the event does not say which it was.
    """

    external_id: str
    moves: tuple[tuple[str, str], ...] = field(repr=False)
    account_id: str = ""
    at: datetime | None = field(default=None, compare=False)
    number_changed: bool = field(default=False, compare=False)


Event = InboundEvent | StatusEvent | AddressChanged | ReportedError | RejectedItem


@dataclass(frozen=True, slots=True)
class OutboundText:
    """One text to send: `id` is our own, to be echoed in statuses; `text` fits the channel's limit.

    With a filename it is a document whose content is the text, and `upload_id` is what upload() returned for it.
    """

    id: int
    address: str
    text: str = field(repr=False)
    filename: str = ""
    upload_id: str = ""


class InvalidBody(ValueError):
    """The body is not what the channel sends (broken JSON, wrong top-level type). The text says what was expected."""


class SendError(Exception):
    """A send that was not accepted.

    retryable: trying the same again later can help (throttling, outage, refused connection).
    uncertain: the request went out and no answer came: it may or may not have been sent. Never retried blindly.
    retry_after: seconds the provider asks us to wait, where it does.
    credentials_refused: the bot's token is missing or no longer valid (or its account id is missing): nothing it sends
        will be accepted, so it pauses.
    account_refused: the provider takes nothing from the bot's account, whatever the token (it is locked, unpaid, not
        registered, lacks a permission): the bot pauses as well.
    code: the provider's error code, or a short word of ours. Never holds a number, a text or a token.
    provider_request_id: what the provider's support finds the refusal by, where it says so.
    """

    # (config/logs/tracebacks.py: logs and error reports may show it.)
    text_is_safe = True

    def __init__(
        self,
        code: str,
        *,
        retryable: bool = False,
        uncertain: bool = False,
        retry_after: float | None = None,
        credentials_refused: bool = False,
        account_refused: bool = False,
        provider_request_id: str = "",
    ) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable
        self.uncertain = uncertain
        self.retry_after = retry_after
        self.credentials_refused = credentials_refused
        self.account_refused = account_refused
        self.provider_request_id = provider_request_id


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
