"""Conversations as the tests need them."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone
from factory.declarations import LazyFunction, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from conversations.memory import Said
from conversations.models import Conversation, Message, MessageRole
from users.tests.factories import UserFactory


class ConversationFactory(DjangoModelFactory[Conversation]):
    """A conversation that is remembered for another day."""

    class Meta:
        model = Conversation

    class Params:
        expired = Trait(expires_at=LazyFunction(lambda: timezone.now() - timedelta(seconds=1)))

    user = SubFactory(UserFactory)
    bot = ""
    expires_at = LazyFunction(lambda: timezone.now() + timedelta(days=1))


class MessageFactory(DjangoModelFactory[Message]):
    """Something a user wrote."""

    class Meta:
        model = Message

    conversation = SubFactory(ConversationFactory)
    role = MessageRole.USER
    content = Sequence(lambda n: f"message {n}")


def add_messages(conversation: Conversation, said: Iterable[tuple[str, str]]) -> None:
    """Let (role, content) pairs be said in a conversation."""
    messages = [Said(role, content) for role, content in said]
    Conversation.objects.remember_many([((conversation.user_id, conversation.bot), messages)])
