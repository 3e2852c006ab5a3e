"""/export: send the sender everything held about them, as files. For everybody."""

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
# JSON as .txt, for channels that take documents of few types.
JSON_FILE = "parley-data.json.txt"
# The longest UTF-8 encoding of a character.
LARGEST_CHARACTER_BYTES = 4


@command(
    "export",
    gettext_lazy("everything that is held about you, as files"),
    order=7,
    for_everybody=True,
    on_behalf=Permission.EXPORT_PEOPLE,
)
async def export(turn: Turn, services: Services, argument: str) -> str:
    """Attach everything held about the sender, as text and as JSON; nothing if it is too large for a chat."""
    documents = await services.side_thread.run(collect, turn)
    if documents is None or not turn.attach(*documents):
        return _("More is held about you than I can send here. Please ask the operator, who can give it to you.")
    if turn.bot.channel.max_document_bytes:
        return _("Here is everything that is held about you, as two files: one to read, and one for programs.")
    return _("Here is everything that is held about you.")


def collect(turn: Turn) -> list[Document] | None:
    """Return the documents of the sender's export and record it in the audit log; None if they are too large.

    Each is read from the database separately, and no further than its limit.
    """
    subject, channel = writer_of(turn), turn.bot.channel
    most = largest_document(channel) or MOST_TEXTS * channel.max_text_length * LARGEST_CHARACTER_BYTES
    try:
        documents = [Document(TEXT_FILE, bounded(text_pieces(read(subject)), most))]
        if channel.max_document_bytes:  # JSON only as a file: nobody wants to read it in a chat
            documents.append(Document(JSON_FILE, bounded(json_pieces(read(subject)), most)))
    except TooLarge:
        return None
    if not fits(channel, documents):
        return None
    pk = subject.person.pk if subject.person else None
    # The address that asked: an address linked by mistake must not implicate the person's own.
    asked_from = {"channel": channel.slug, "from": masked(turn.address)}
    AuditEntry.objects.create(
        action=AuditEntry.Action.EXPORTED, subject=pk, actor=turn.visitor, via=turn.via, details=asked_from
    )
    return documents
