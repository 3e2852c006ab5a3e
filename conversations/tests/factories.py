"""Conversations as the tests need them."""

from datetime import timedelta

from django.utils import timezone
from factory.declarations import LazyFunction, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

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
