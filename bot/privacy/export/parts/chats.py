"""Exported chats: messages between a person and the bots, as far as kept."""

from typing import Any

from django.db.models import Case, F, TextField, Value, When
from django.utils.translation import gettext_lazy as _

from bot.models import InboundMessage, Lease, OutboundMessage
from bot.privacy.export.fields import Part, Told, by_whom, choice, long_text, time
from bot.privacy.export.parts.people import IS_THEM, ROW_NUMBER, of_person
from conversations.models import Conversation, Message, MessageRole

OUR_WORK = "how our processes share the work"
# Without the content of documents: each export would contain the previous one and double in size.
SAID = Case(When(filename="", then=F("text")), default=Value(""), output_field=TextField())
PAYLOAD_LABELS = {
    "text": _("text"),
    "profile_name": _("name in the messenger"),
    "other_address": _("other address"),
    "notice": _("notice"),
    "note": _("what else it holds"),
    "quotes": _("id of the message it answers"),
    "visitor": _("written in the simulator by member of staff"),
}


def payload_words(payload: dict[str, Any]) -> str:
    """Return a message's payload, one line for each field; a text alone as it is."""
    if set(payload) == {"text"}:
        return str(payload["text"])
    return "\n".join(f"{PAYLOAD_LABELS.get(name, name)}: {value}" for name, value in payload.items() if value)


CHATS = (
    Part(
        "conversations",
        _("Conversations a model is shown"),
        Conversation,
        of_person(Conversation, "user"),
        (
            Told("bot", _("bot")),
            time("created_at", _("begun")),
            time("expires_at", _("forgotten"), "forgotten_at"),
        ),
        {"id": ROW_NUMBER, "user": IS_THEM},
        inner=Part(
            "messages",
            _("Messages"),
            Message,
            lambda conversation: Message.objects.filter(conversation=conversation).order_by("pk"),
            (
                time("created_at", _("at")),
                choice("role", _("who"), MessageRole.choices),
                by_whom("author", _("by"), "written_by"),
                long_text("content", _("text")),
            ),
            {"id": ROW_NUMBER, "conversation": "it stands in it", "turn_key": OUR_WORK},
        ),
    ),
    Part(
        "received",
        _("Messages received from you"),
        InboundMessage,
        lambda subject: InboundMessage.objects.filter(subject.chats(InboundMessage)).order_by("pk"),
        (
            time("received_at", _("received")),
            time("sent_at", _("written")),
            Told("bot__slug", _("bot"), "bot"),
            Told("address", _("address")),
            Told("kind", _("kind")),
            choice("state", _("state"), InboundMessage.State.choices),
            time("begun_at", _("work begun")),
            time("finished_at", _("work ended")),
            Told("attempts", _("attempts")),
            Told("error_code", _("error code")),
            Told("external_id", _("the messenger's id")),
            Told("payload", _("content"), "content", shown=payload_words, is_long=True),
        ),
        {
            "id": ROW_NUMBER,
            "turn_key": OUR_WORK,
            "origin": "its kind says as much",
            "available_at": OUR_WORK,
            "request_id": OUR_WORK,
            "steps": OUR_WORK,
        },
    ),
    Part(
        "sent",
        _("Messages sent to you"),
        OutboundMessage,
        lambda subject: (
            OutboundMessage.objects.filter(subject.chats(OutboundMessage)).annotate(said=SAID).order_by("pk")
        ),
        (
            time("created_at", _("written")),
            Told("bot__slug", _("bot"), "bot"),
            Told("address", _("address")),
            choice("status", _("status"), OutboundMessage.Status.choices),
            time("sending_at", _("being sent")),
            time("sent_at", _("sent")),
            time("delivered_at", _("delivered")),
            time("read_at", _("read")),
            Told("attempts", _("attempts")),
            Told("error_code", _("error code")),
            Told("doubt", _("uncertain")),
            Told("external_id", _("the messenger's id")),
            Told("filename", _("file name")),
            long_text("said", _("text"), "text"),
        ),
        {"id": ROW_NUMBER, "turn_key": OUR_WORK, "part": OUR_WORK, "updated_at": OUR_WORK},
        {"said": "text"},
    ),
    Part(
        "chats",
        _("Chats the workers know"),
        Lease,
        lambda subject: Lease.objects.filter(subject.chats(Lease)).order_by("pk"),
        (
            Told("bot__slug", _("bot"), "bot"),
            Told("address", _("address")),
            time("expires_at", _("worked on until"), "worked_on_until"),
        ),
        {"id": ROW_NUMBER, "worker": OUR_WORK, "fence": OUR_WORK, "deaths": OUR_WORK},
    ),
)
