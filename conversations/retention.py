"""Delete conversations whose time is over, while people go on writing."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils import timezone

from config.db.batches import Progress, delete_in_batches
from conversations.models import Conversation, Message


@dataclass(frozen=True, slots=True)
class CleanedConversations:
    """How many messages and conversations were deleted, or would be in a dry run."""

    messages: int
    conversations: int

    def __str__(self) -> str:
        return f"{self.messages:,} messages of {self.conversations:,} expired conversations"


def cleanup_expired_conversations(*, dry_run: bool = False, progress: Progress | None = None) -> CleanedConversations:
    """Delete expired conversations with their messages, in short batches; safe at any time and in parallel.

    Who writes meanwhile starts anew: their conversation is no longer expired, so neither it nor a new message goes.
    """
    now = timezone.now()
    expired = Conversation.objects.expired(now)
    # Not by a join: then a batch would find its rows twice.
    messages = Message.objects.filter(Exists(expired.filter(pk=OuterRef("conversation"))))
    if dry_run:
        return CleanedConversations(messages.count(), expired.count())
    # Messages first, in batches of their own: one conversation may have thousands.
    deleted = delete_in_batches(messages, progress=progress)
    empty = expired.filter(~Exists(Message.objects.filter(conversation=OuterRef("pk"))))
    return CleanedConversations(deleted, delete_in_batches(empty))
