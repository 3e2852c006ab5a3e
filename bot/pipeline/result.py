"""What the stages of a turn decide."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from uuid import uuid4

from bot.ai.base import Completion
from bot.channels.documents import Document
from conversations.memory import Said


class After(Enum):
    """What becomes of a turn's rows once it is settled.

    DELETE_MESSAGES: those of the inbox go, as of who is not let in. DELETE_CHAT: its messages, reply and lease go, as
    of who was erased and is told goodbye.
    """

    KEEP = "keep"
    DELETE_MESSAGES = "delete messages"
    DELETE_CHAT = "delete chat"


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One completion that was paid for: the model asked, and what came back.

    id: names this call and no other, however often it is recorded.
    """

    model: str
    completion: Completion
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(slots=True)
class Result:
    """How a turn ends, and what is stored of it.

    rendered: the reply as the texts that its channel sends, where it was a model's Markdown; empty: as it is.
    documents: files that follow the reply.
    remember: what is added to the conversation.
    error_code: why the turn ended without a proper answer.
    given_up: its messages become dead letters; the reply only says that it did not work.
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
