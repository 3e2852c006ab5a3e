"""The remembered messages of one person with one bot."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.managers import ConversationManager


class MessageRole(models.TextChoices):
    """Who wrote a message, in the model's words."""

    SYSTEM = "system", _("System")
    USER = "user", _("User")
    ASSISTANT = "assistant", _("Assistant")


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
