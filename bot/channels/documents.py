"""Files that go out besides a reply's text, and what becomes of them on a channel that has none. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.channels.channel import Channel
from bot.text import split

# In place of a document; more would flood the chat, and each may be billed.
MOST_TEXTS = 20
# Whatever the channel takes: it is a row of the outbox, written in the database thread while all other turns wait.
LARGEST_DOCUMENT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """A file: its name with its ending, and its content, which is text and is not empty."""

    filename: str
    text: str = field(repr=False)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.text.encode())


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """What is sent at once: a text, or (with a filename) a document."""

    text: str = field(repr=False)
    filename: str = ""


def largest_document(channel: Channel) -> int:
    """Return how many bytes a document may have on a channel; 0: it has none."""
    return min(channel.max_document_bytes, LARGEST_DOCUMENT_BYTES)


def reply_parts(
    channel: Channel, reply: str, documents: Sequence[Document], rendered: Sequence[str] = ()
) -> list[ReplyPart]:
    """Return a reply in the parts that its channel takes: its text first, then the documents.

    rendered: the reply as the texts that are sent, where it was rendered for the channel; empty: it is sent as it is.
    On a channel without documents the content of each follows as texts.
    """
    parts = [ReplyPart(text) for text in rendered or split(reply, channel.max_text_length)]
    for document in documents:
        if channel.max_document_bytes:
            parts.append(ReplyPart(document.text, document.filename))
        else:
            parts += [ReplyPart(text) for text in split(document.text, channel.max_text_length)]
    return parts


def fits(channel: Channel, documents: Sequence[Document]) -> bool:
    """Return whether the channel takes the documents, or else their content in at most MOST_TEXTS texts."""
    if most := largest_document(channel):
        return all(document.size <= most for document in documents)
    # (Each text but the last of a document is at least half full: so much is too much, without being cut first.)
    if sum(len(document.text) for document in documents) > MOST_TEXTS * channel.max_text_length:
        return False
    return len(reply_parts(channel, "", documents)) <= MOST_TEXTS
