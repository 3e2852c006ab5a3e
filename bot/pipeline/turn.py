"""A turn: the pending inbound messages of one chat together with the one reply they get."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.conf import settings

from bot.ai.base import ChatMessage, Completion
from bot.channels.documents import Document, fits
from bot.channels.events import TEXT, UNAVAILABLE
from bot.models import OutboundPart, TakenLease
from bot.queue.log_ids import chat_hash
from bot.queue.snapshot import ActiveBot
from bot.queue.turn_message import TurnMessage
from conversations.memory import Said
from users.models import User

# What the model is told of a quoted message that is no longer held.
ANSWERS_EARLIER = "[answers an earlier message]"


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One completion that was paid for: the model asked, and what came back.

    id: names this call and no other, however often it is recorded.
    """

    model: str
    completion: Completion
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(slots=True)
class Turn:
    """What a worker knows of a turn. Stages read it, and end it by setting its reply (or by ending it silently).

    key: the id of its first inbound message; replies, usage and log lines of the turn carry it.
    parts: the reply, when an earlier worker has stored it already: then it only remains to be sent.
    in_doubt: its addresses contradict each other: it is nobody's, and nothing of whoever has them is shown.
    history: what was said before, oldest first.
    quoted: in words what its messages quote, by the provider's id, as far as it is still held.
    rendered: the reply as the texts that its channel sends, where it was a model's Markdown; empty: as it is.
    documents: files that follow the reply.
    chosen_model: what the person has chosen for their chats with the bot, allowed still or not; empty: nothing.
    given_up: its messages become dead letters; the reply only says that it did not work.
    steps: the stages it went through, with the milliseconds from its claim to the end of each.
    leaves_nothing: it says goodbye to who was erased: once it is settled its messages, reply and lease are deleted.
    is_stored: its reply was stored by an earlier worker.
    prompt: what the model is shown, once that was put together.
    requested: a send was requested, so that nobody may send it again.
    visitor: the member of staff who wrote it in the simulator; None also where they are gone.
    reserved_on: the day in whose budgets the cost of the turn's calls is reserved; None without budgets.
    waited_seconds: how long it has waited for room in them, which the model has less time for.
    """

    bot: ActiveBot
    address: str = field(repr=False)
    lease: TakenLease
    messages: list[TurnMessage]
    user: User | None = None
    visitor: User | None = None
    other_address_known: bool = True
    in_doubt: bool = False
    history: list[ChatMessage] = field(default_factory=list, repr=False)
    quoted: dict[str, str] = field(default_factory=dict, repr=False)
    chosen_model: str = ""
    parts: list[OutboundPart] = field(default_factory=list)
    reply: str | None = field(default=None, repr=False)
    rendered: Sequence[str] = field(default=(), repr=False)
    documents: list[Document] = field(default_factory=list, repr=False)
    ended: bool = False
    given_up: bool = False
    forget_messages: bool = False
    leaves_nothing: bool = False
    error_code: str = ""
    reserved_on: date | None = None
    waited_seconds: float = 0.0
    calls: list[ModelCall] = field(default_factory=list)
    remember: list[Said] = field(default_factory=list, repr=False)
    steps: list[tuple[str, int]] = field(default_factory=list)
    is_stored: bool = False
    prompt: tuple[ChatMessage, ...] = field(default=(), repr=False)
    requested: bool = False
    _claimed_at: float = field(default_factory=time.monotonic)

    @property
    def message_ids(self) -> list[int]:
        """Return the ids of its messages' rows, in order."""
        return [message.id for message in self.messages]

    @property
    def key(self) -> int:
        """The turn's key: the id of its first message."""
        return self.messages[0].id

    @property
    def has_requested_nothing(self) -> bool:
        """Whether nothing of its reply was requested to be sent, by whoever had it."""
        return not (self.is_stored or self.requested)

    @property
    def written_at(self) -> datetime | None:
        """When the last of its messages was received; None where nobody wrote anything (a notice)."""
        return max((one.received_at for one in self.messages if one.received_at and not one.notice), default=None)

    @property
    def elapsed_ms(self) -> int:
        """How many milliseconds ago the turn was claimed."""
        return round((time.monotonic() - self._claimed_at) * 1_000)

    @property
    def log_ids(self) -> dict[str, Any]:
        """What every log line of the turn names: turn, bot, chat, person, and what delivered its messages."""
        requests = list(dict.fromkeys(message.request_id for message in self.messages if message.request_id))
        one = {"request_id": requests[0]} if len(requests) == 1 else {"request_ids": requests}
        ids = {"turn_id": self.key, "bot": self.bot.slug, "chat": chat_hash(self.bot.slug, self.address)}
        people = {"person": self.user.pk if self.user else None, "staff": self.visitor_id}
        return {**ids, **{name: pk for name, pk in people.items() if pk}, **(one if requests else {})}

    @property
    def person(self) -> User:
        """Who wrote: known in every stage after access.

        Raises:
            LookupError: nobody that is known.
        """
        if self.user is None:
            raise LookupError("the turn is nobody's that is known")
        return self.user

    @property
    def visitor_id(self) -> int | None:
        """The id of the member of staff who wrote it in the simulator."""
        return self.messages[0].visitor

    @property
    def via(self) -> str:
        """Where it was written, as the audit log says it."""
        return "chat" if self.visitor_id is None else "simulator"

    @property
    def actor(self) -> User:
        """Who gives the turn's command: the visitor in the simulator, else the person."""
        return self.visitor or self.person

    @property
    def judged_by(self) -> tuple[User | None, ...]:
        """By whose rights a command is judged: each of them must have them."""
        return (self.user,) if self.visitor_id is None else (self.user, self.visitor)

    @property
    def attempts(self) -> int:
        """How often work on the turn was begun, this time included."""
        return max(message.attempts for message in self.messages)

    @property
    def text(self) -> str:
        """What the person wrote, message by message; what can't be read, and what is quoted, is named in brackets."""
        return "\n".join(line for message in self.messages for line in self._lines(message) if line)

    @property
    def has_text(self) -> bool:
        """Whether anything in the turn can be read."""
        return any(message.is_readable for message in self.messages)

    @property
    def is_unavailable(self) -> bool:
        """Whether something was written that the provider could not hand over."""
        return any(message.kind == UNAVAILABLE for message in self.messages)

    @property
    def last_sent_at(self) -> datetime | None:
        """The provider's time of the person's latest message."""
        return max((message.sent_at for message in self.messages if message.sent_at), default=None)

    @property
    def own_model(self) -> str:
        """The model that answers who has chosen none."""
        return self.bot.model or settings.OPENAI_GPT_MODEL

    @property
    def model(self) -> str:
        """The model that answers: the chosen one while the bot allows it, else the bot's own."""
        return self.chosen_model if self.chosen_model in self.bot.allowed_models else self.own_model

    def _lines(self, message: TurnMessage) -> tuple[str, ...]:
        if not message.note and not message.quotes:  # (as nearly every message)
            return (message.text if message.kind == TEXT else _named(message),)
        said = message.text if message.note or message.kind == TEXT else _named(message)
        quoted = self.quoted.get(message.quotes, ANSWERS_EARLIER) if message.quotes else ""
        return quoted, said, message.note

    def window_is_closed(self, now: datetime) -> bool:
        """Return whether the provider no longer lets us answer, by its own time of the person's latest message."""
        window = self.bot.channel.reply_window
        return bool(window and self.last_sent_at and now - self.last_sent_at > window)

    def attach(self, *documents: Document) -> bool:
        """Let documents follow the reply, if the channel takes them all; else none does. Return whether they do."""
        if not fits(self.bot.channel, documents):
            return False
        self.documents += documents
        return True

    def end(self, reply: str | None = None, *, rendered: Sequence[str] = (), error_code: str = "") -> None:
        """End the turn with a reply, or silently."""
        self.reply = reply
        self.rendered = rendered
        self.error_code = error_code
        self.ended = True


def _named(message: TurnMessage) -> str:
    caption = f": {message.text}" if message.text else ""
    return f"[{message.kind}{caption}]"
