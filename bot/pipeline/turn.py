"""A turn: the pending inbound messages of one chat together with the one reply they get."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.conf import settings

from bot.ai.base import ChatMessage, CompletionRequest
from bot.ai.tokens import estimate_tokens
from bot.channels.documents import Document, fits
from bot.channels.events import UNAVAILABLE
from bot.command_call import Call
from bot.errors import AppError, ErrorCode
from bot.models import OutboundPart, TakenLease
from bot.pipeline.prompts import prompt, text_of
from bot.pipeline.result import After, Result
from bot.queue.log_ids import chat_hash
from bot.queue.snapshot import ActiveBot
from bot.queue.turn_message import TurnMessage
from users.models import User


@dataclass(slots=True)
class Turn:
    """The claimed messages of a chat, which every stage reads, and the result that the stages decide.

    key: the id of its first inbound message; replies, usage and log lines of the turn carry it.
    call: the command it gives; None if it is no command.
    visitor: the member of staff who wrote it in the simulator; None also if they were deleted.
    in_doubt: its addresses contradict each other: it has no person, and no data of their holders is shown.
    history: the conversation so far, oldest first.
    quoted: {provider's id: text} of quoted messages that are still kept.
    chosen_model: the person's choice for this bot, still allowed or not; empty without one.
    parts: the reply stored by an earlier worker, which only remains to be sent.
    is_stored: its reply was stored by an earlier worker.
    reserved_on: the day in whose budgets its cost is reserved; None without budgets.
    waited_seconds: how long it has waited for room in the budgets, which reduces the model's deadline.
    requested: a send was requested, so that nobody may send it again.
    steps: its stages, with the milliseconds from its claim to the end of each.
    """

    bot: ActiveBot
    address: str = field(repr=False)
    lease: TakenLease
    messages: list[TurnMessage]
    call: Call | None = field(default=None, repr=False)
    user: User | None = None
    visitor: User | None = None
    other_address_known: bool = True
    in_doubt: bool = False
    history: list[ChatMessage] = field(default_factory=list, repr=False)
    quoted: dict[str, str] = field(default_factory=dict, repr=False)
    chosen_model: str = ""
    parts: list[OutboundPart] = field(default_factory=list)
    is_stored: bool = False
    result: Result = field(default_factory=Result)
    reserved_on: date | None = None
    waited_seconds: float = 0.0
    requested: bool = False
    steps: list[tuple[str, int]] = field(default_factory=list)
    _request: CompletionRequest | None = field(default=None, repr=False)
    _claimed_at: float = field(default_factory=time.monotonic)

    @property
    def message_ids(self) -> list[int]:
        """Return the ids of its inbound messages, in order."""
        return [message.id for message in self.messages]

    @property
    def key(self) -> int:
        """The turn's key: the id of its first message."""
        return self.messages[0].id

    @property
    def has_requested_nothing(self) -> bool:
        """Whether no worker has requested a send of its reply."""
        return not (self.is_stored or self.requested)

    @property
    def written_at(self) -> datetime | None:
        """When the last of its messages was received; None for a notice."""
        return max((one.received_at for one in self.messages if one.received_at and not one.notice), default=None)

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the turn was claimed."""
        return round((time.monotonic() - self._claimed_at) * 1_000)

    @property
    def seconds_left(self) -> float:
        """Seconds until the turn's deadline, a moment at least."""
        return max(settings.TURN_DEADLINE_SECONDS + self._claimed_at - time.monotonic(), 0.1)

    @property
    def log_ids(self) -> dict[str, Any]:
        """Ids for every log line of the turn: turn, bot, chat, person, and the requests that delivered its messages."""
        requests = list(dict.fromkeys(message.request_id for message in self.messages if message.request_id))
        one = {"request_id": requests[0]} if len(requests) == 1 else {"request_ids": requests}
        ids = {"turn_id": self.key, "bot": self.bot.slug, "chat": chat_hash(self.bot.slug, self.address)}
        people = {"person": self.user.pk if self.user else None, "staff": self.visitor_id}
        return {**ids, **{name: pk for name, pk in people.items() if pk}, **(one if requests else {})}

    @property
    def person(self) -> User:
        """The sender, who is known in every stage after access.

        Raises:
            LookupError: the sender is unknown.
        """
        if self.user is None:
            raise LookupError("the turn is nobody's that is known")
        return self.user

    @property
    def is_of_member(self) -> bool:
        """Whether its sender is let in."""
        return self.user is not None and self.user.is_whitelisted

    @property
    def is_farewell(self) -> bool:
        """Whether it is the farewell to an erased person."""
        return self.result.after is After.DELETE_CHAT

    @property
    def visitor_id(self) -> int | None:
        """The id of the member of staff who wrote it in the simulator."""
        return self.messages[0].visitor

    @property
    def via(self) -> str:
        """Where it was written, for the audit log."""
        return "chat" if self.visitor_id is None else "simulator"

    @property
    def actor(self) -> User:
        """The user who gives the command: the visitor in the simulator, else the person."""
        return self.visitor or self.person

    @property
    def judged_by(self) -> tuple[User | None, ...]:
        """The users who must all be permitted to give the command."""
        return (self.user,) if self.visitor_id is None else (self.user, self.visitor)

    @property
    def attempts(self) -> int:
        """Attempts at the turn, this one included."""
        return max(message.attempts for message in self.messages)

    @property
    def text(self) -> str:
        """The person's text, as the model is shown it."""
        return text_of(self.messages, self.quoted)

    @property
    def own_model(self) -> str:
        """The bot's own model, for people without a choice."""
        return self.bot.model or settings.OPENAI_GPT_MODEL

    @property
    def model(self) -> str:
        """The model to ask: the chosen one if the bot allows it, else the bot's own."""
        return self.chosen_model if self.chosen_model in self.bot.allowed_models else self.own_model

    @property
    def request(self) -> CompletionRequest:
        """The request to the model, built once.

        Raises:
            AppError: UNSUPPORTED_MESSAGE if nothing in the turn can be read, MESSAGE_UNAVAILABLE if the provider could
                not deliver its content, MESSAGE_TOO_LONG if its own text exceeds the prompt's limit.
        """
        if self._request is None:
            self._request = CompletionRequest(
                model=self.model,
                messages=self._prompt(),
                max_tokens=settings.MAX_REPLY_TOKENS,
                deadline_seconds=min(settings.MODEL_DEADLINE_SECONDS, self.seconds_left),
                chat=self.lease.id,
                effort=self.bot.reasoning_effort,
            )
        return self._request

    def _prompt(self) -> tuple[ChatMessage, ...]:
        if not any(message.is_readable for message in self.messages):
            kinds = {message.kind for message in self.messages}
            code = ErrorCode.MESSAGE_UNAVAILABLE if UNAVAILABLE in kinds else ErrorCode.UNSUPPORTED_MESSAGE
            raise AppError(code, context={"kinds": sorted(kinds)})
        text, most = self.text, settings.MAX_MODEL_TOKENS
        if (tokens := estimate_tokens(text)) > most:
            raise AppError(ErrorCode.MESSAGE_TOO_LONG, context={"estimated_tokens": tokens})
        return prompt(self.bot.system_prompt, self.history, text, most)

    def window_is_closed(self, now: datetime) -> bool:
        """Return whether the reply window is closed, by the provider's time of the person's latest message."""
        window = self.bot.channel.reply_window
        sent_at = max((message.sent_at for message in self.messages if message.sent_at), default=None)
        return bool(window and sent_at and now - sent_at > window)

    def attach(self, *documents: Document) -> bool:
        """Attach documents to the reply if the channel takes all of them, else none; return whether it does."""
        if not fits(self.bot.channel, documents):
            return False
        self.result.documents += documents
        return True

    def end(self, reply: str | None = None, *, rendered: Sequence[str] = (), error_code: str = "") -> None:
        """End the turn with a reply, or silently."""
        result = self.result
        result.reply, result.rendered, result.error_code, result.ended = reply, rendered, error_code, True
