"""The result of a turn's stages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from uuid import uuid4

from bot.ai.base import Completion
from bot.channels.documents import Document
from conversations.memory import Said


class After(Enum):
    """The treatment of a turn's rows once it is settled.

    DELETE_MESSAGES: delete its inbox rows, for people who are not let in. DELETE_CHAT: delete its messages, reply and
    lease, for a farewell.
    """

    KEEP = "keep"
    DELETE_MESSAGES = "delete messages"
    DELETE_CHAT = "delete chat"


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One billed completion: the model asked, and its answer.

    id: unique, so that the call is recorded once.
    """

    model: str
    completion: Completion
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(slots=True)
class Result:
    """The end of a turn, and what is stored of it.

    rendered: a model's Markdown as the texts to send; empty: send the reply as it is.
    documents: files that follow the reply.
    remember: messages to add to the conversation.
    error_code: why the turn ended without a proper answer.
    given_up: its messages become dead letters; the reply is an apology.
    """

    reply: str | None = field(default=None, repr=False)
    rendered: Sequence[str] = field(default=(), repr=False)
    documents: list[Document] = field(default_factory=list, repr=False)
    remember: list[Said] = field(default_factory=list, repr=False)
    calls: list[ModelCall] = field(default_factory=list)
    error_code: str = ""
    ended: bool = False
    given_up: bool = False
    after: After = After.KEEP

    @property
    def is_to_be_stored(self) -> bool:
        """Whether there is anything to send or to bill."""
        return bool(self.reply or self.documents or self.calls)
