"""The repository of conversations: remember messages, recall the recent ones, forget."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

if TYPE_CHECKING:
    from conversations.models import Conversation, Message
    from users.models import User


def next_expiry(now: datetime) -> datetime:
    """Return when a conversation whose last message came now is to be forgotten."""
    return now + timedelta(days=settings.CONVERSATION_TTL_DAYS)


def storable(content: str) -> str:
    """Return content without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return content.replace("\x00", "").encode("utf-8", "ignore").decode()


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Conditions on conversations that chain."""

    def expired(self, now: datetime | None = None) -> Self:
        """Keep the conversations whose time is over."""
        return self.filter(expires_at__lte=now or timezone.now())

    def live(self, now: datetime | None = None) -> Self:
        """Keep the conversations that are still remembered."""
        return self.filter(expires_at__gt=now or timezone.now())

    def of_bots(self, slugs: Iterable[str]) -> Self:
        """Keep the conversations with these bots."""
        return self.filter(bot__in=[*slugs])

    def expire(self) -> int:
        """Let these conversations end now, and return how many that were. One statement: the purge deletes the rows."""
        now = timezone.now()
        return self.live(now).update(expires_at=now)


_ConversationManager = models.Manager.from_queryset(ConversationQuerySet)


class ConversationManager(_ConversationManager["Conversation"]):
    """Remembers and forgets. A purge may run at any moment: every write holds on to its conversation's row first."""

    def find_or_create(self, user: "User", bot: str = "") -> "Conversation":
        """Return the conversation of user and bot. An expired one starts again, empty."""
        now = timezone.now()
        conversation, _ = self.get_or_create(user=user, bot=bot, defaults={"expires_at": next_expiry(now)})
        if conversation.expires_at > now:
            return conversation
        with transaction.atomic(using=self._db):
            # Only one of several processes finds it still expired; the others see what that one made of it.
            restarted = self.expired(now).filter(pk=conversation.pk).update(created_at=now, expires_at=next_expiry(now))
            if restarted:
                self._messages().filter(conversation=conversation).delete()
        # A purge may have deleted the row in between.
        return self.get_or_create(user=user, bot=bot, defaults={"expires_at": next_expiry(now)})[0]

    def add_message(self, conversation: "Conversation", role: str, content: str) -> "Message":
        """Append a message and put the conversation's end off. One short transaction."""
        return self.add_messages(conversation, [(role, content)])[0]

    def add_messages(self, conversation: "Conversation", messages: Iterable[tuple[str, str]]) -> "list[Message]":
        """Append (role, content) pairs in their order, and put the conversation's end off. One short transaction.

        Raises:
            ValueError: there is no such role.
        """
        new = [self._message(role, content) for role, content in messages]
        with transaction.atomic(using=self._db):
            conversation = self._hold(conversation)
            for message in new:
                message.conversation = conversation
            return self._messages().bulk_create(new)

    def get_recent(self, user: "User", limit: int, bot: str = "") -> "list[Message]":
        """Return the last `limit` messages, oldest first; none of an expired conversation. One query."""
        live = {"conversation__user": user, "conversation__bot": bot, "conversation__expires_at__gt": timezone.now()}
        newest_first = self._messages().filter(**live).order_by("-pk")
        return list(reversed(newest_first[: max(limit, 0)]))

    def clear_conversation(self, user: "User", bot: str = "") -> int:
        """Forget every message of user and bot; return how many there were."""
        return self._messages().filter(conversation__user=user, conversation__bot=bot).delete()[0]

    def _hold(self, conversation: "Conversation") -> "Conversation":
        """Put the conversation's end off, which locks its row until the transaction ends.

        The row may have expired or been purged since it was read: then it starts again, empty.
        """
        now = timezone.now()
        if not self.live(now).filter(pk=conversation.pk).update(expires_at=next_expiry(now)):
            conversation = self.find_or_create(conversation.user, conversation.bot)
            self.filter(pk=conversation.pk).update(expires_at=next_expiry(now))
        conversation.expires_at = next_expiry(now)
        return conversation

    def _message(self, role: str, content: str) -> "Message":
        from conversations.models import Message, MessageRole

        if role not in MessageRole.values:
            raise ValueError(f"There is no message role {role!r}. Roles: {', '.join(MessageRole.values)}.")
        return Message(role=role, content=storable(content))

    def _messages(self) -> "models.QuerySet[Message]":
        from conversations.models import Message

        return Message.objects.all()
