"""What a provider delivers: the request before anything is believed about it, and the events that are read from it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

TEXT = "text"
# The kind of what somebody did write, and the provider could not hand over: they can send it again.
UNAVAILABLE = "unavailable"
# Kinds whose `note` says all there is to say: they are answered as a text is.
TOLD = frozenset({"location", "contacts", "order"})


class Headers(Protocol):
    """The headers of a request, whatever read them: names are case-insensitive."""

    def get(self, name: str, /) -> str | None:
        """Return a header's value, or None."""


class WebhookRequest(NamedTuple):
    """A webhook delivery before anything is believed about it. (A tuple, as there is one for each.)"""

    headers: Headers
    body: bytes


class InvalidBody(ValueError):
    """The body is not what the channel sends (broken JSON, wrong top-level type). The text says what was expected."""


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
