"""The remembered messages of one person with one bot."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows
from conversations.memory import Owner, Said, lock_expired
from users.models import User

# Speaking puts the end off; where it was over, the conversation begins now.
RENEWED = """(user_id, bot) DO UPDATE SET expires_at = excluded.expires_at, created_at = CASE
    WHEN conversations_conversation.expires_at <= excluded.created_at THEN excluded.created_at
    ELSE conversations_conversation.created_at END"""


class MessageRole(models.TextChoices):
    """Who wrote a message, in the model's words."""

    SYSTEM = "system", _("System")
    USER = "user", _("User")
    ASSISTANT = "assistant", _("Assistant")


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

    def remember_many(self, said: Sequence[tuple[Owner, Sequence[Said]]]) -> None:
        """Append to each owner's conversation and put its end off; an expired one starts again, empty.

        One transaction, or a part of the caller's. Lock order: conversations by owner, so that no two workers deadlock.

        Raises:
            ValueError: there is no such role.
        """
        if not said:
            return
        unknown = {message.role for _, messages in said for message in messages}.difference(MessageRole.values)
        if unknown:
            raise ValueError(f"There are no message roles {sorted(unknown)}. Roles: {', '.join(MessageRole.values)}.")
        owners = sorted({owner for owner, _ in said})
        with transaction.atomic(savepoint=False):
            if expired := lock_expired(owners):
                Message.objects.filter(conversation__in=expired).delete()
            expires_at = next_expiry(timezone.now())
            rows = insert_rows(
                self.model,
                [{"user_id": user_id, "bot": bot, "expires_at": expires_at} for user_id, bot in owners],
                on_conflict=RENEWED,
                returning=("user_id", "bot", "id"),
            )
            ids = {(user_id, bot): id for user_id, bot, id in rows}
            insert_rows(
                Message,
                [
                    {
                        "conversation_id": ids[owner],
                        "role": message.role,
                        "content": storable(message.content),
                        "turn_key": message.turn_key,
                        "author_id": message.author,
                    }
                    for owner, messages in said
                    for message in messages
                ],
            )

    def find_or_create(self, user: User, bot: str = "") -> "Conversation":
        """Return the conversation of user and bot. An expired one starts again, empty."""
        found = self.live().filter(user=user, bot=bot).first()
        if found is None:
            self.remember_many([((user.pk, bot), [])])
            found = self.get(user=user, bot=bot)
        return found

    def add_message(self, conversation: "Conversation", role: str, content: str) -> "Message":
        """Append a message and put the conversation's end off. One short transaction."""
        user, bot = conversation.user_id, conversation.bot
        with transaction.atomic(using=self._db):
            self.remember_many([((user, bot), [Said(role, content)])])
            # The last one is this one: the conversation's row is locked.
            of_owner = Message.objects.filter(conversation__user=user, conversation__bot=bot)
            message = of_owner.select_related("conversation").latest("pk")
        conversation.expires_at = message.conversation.expires_at
        return message

    def get_recent(self, user: User, limit: int, bot: str = "") -> "list[Message]":
        """Return the last `limit` messages, oldest first; none of an expired conversation. One query."""
        live = {"conversation__user": user, "conversation__bot": bot, "conversation__expires_at__gt": timezone.now()}
        newest_first = Message.objects.filter(**live).order_by("-pk")
        return list(reversed(newest_first[: max(limit, 0)]))

    def clear_conversation(self, user: User, bot: str = "") -> int:
        """Forget every message of user and bot; return how many there were."""
        return Message.objects.filter(conversation__user=user, conversation__bot=bot).delete()[0]


class Conversation(models.Model):
    """What a model is shown of one user and one bot. After expires_at it counts as empty, and is deleted soon."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="conversations",
        db_index=False,
        verbose_name=_("person"),
    )
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    objects = ConversationManager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [models.UniqueConstraint(fields=["user", "bot"], name="conversations_one_per_user_bot")]

    def __str__(self) -> str:
        return f"conversation {self.pk}"


class Message(models.Model):
    """One message of a conversation. Order is by id: two messages may have the same microsecond."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False, verbose_name=_("conversation")
    )
    role = models.CharField(_("role"), max_length=16, choices=MessageRole.choices)
    content = models.TextField(_("content"))
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    # The turn it is of, which the inbox, the outbox and the usage records name as well; null: of before it was noted.
    turn_key = models.BigIntegerField(_("turn key"), null=True, blank=True)
    # Who of the staff wrote an answer; null: the model, or the person.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("author"),
    )

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["conversation", "id"], name="conversations_message_order"),
            # For the deletion of staff; nearly empty.
            models.Index(fields=["author"], name="conversations_message_author", condition=Q(author__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.role} message {self.pk}"
