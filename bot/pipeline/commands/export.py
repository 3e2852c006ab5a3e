"""/export: everything that is held about whoever writes, as files. For everybody."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.channels.documents import MOST_TEXTS, Document, fits, largest_document
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.writer import writer_of
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.privacy.export.document import TooLarge, bounded, json_pieces, read, text_pieces
from users.linking import masked
from users.models import AuditEntry
from users.permissions import Permission

TEXT_FILE = "parley-data.txt"
# Where documents are of few types, JSON is a text.
JSON_FILE = "parley-data.json.txt"
# What a character may take in UTF-8.
LARGEST_CHARACTER_BYTES = 4


@command(
    "export",
    gettext_lazy("everything that is held about you, as files"),
    order=7,
    for_everybody=True,
    on_behalf=Permission.EXPORT_PEOPLE,
)
async def export(turn: Turn, services: Services, argument: str) -> str:
    """Attach everything that is held about who writes: to read, and as JSON. Too much for a chat: nothing of it."""
    documents = await services.side_thread.run(collect, turn)
    if documents is None or not turn.attach(*documents):
        return _("More is held about you than I can send here. Please ask the operator, who can give it to you.")
    if turn.bot.channel.max_document_bytes:
        return _("Here is everything that is held about you, as two files: one to read, and one for programs.")
    return _("Here is everything that is held about you.")


def collect(turn: Turn) -> list[Document] | None:
    """Return the documents of an export for who writes, and note that they were made; None: they are too large.

    Each is read from the database by itself, and no further than what fits.
    """
    subject, channel = writer_of(turn), turn.bot.channel
    most = largest_document(channel) or MOST_TEXTS * channel.max_text_length * LARGEST_CHARACTER_BYTES
    try:
        documents = [Document(TEXT_FILE, bounded(text_pieces(read(subject)), most))]
        if channel.max_document_bytes:  # Nobody wants to read the other one in a chat.
            documents.append(Document(JSON_FILE, bounded(json_pieces(read(subject)), most)))
    except TooLarge:
        return None
    if not fits(channel, documents):
        return None
    pk = subject.person.pk if subject.person else None
    # An address that was linked to somebody is not the one that is blamed for them.
    asked_from = {"channel": channel.slug, "from": masked(turn.address)}
    AuditEntry.objects.create(
        action=AuditEntry.Action.EXPORTED, subject=pk, actor=turn.visitor, via=turn.via, details=asked_from
    )
    return documents
