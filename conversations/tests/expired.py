"""Conversations whose time is over."""

from conversations.tests.factories import ConversationFactory, MessageFactory


def expired_conversation(messages=3):
    conversation = ConversationFactory.create(expired=True)
    MessageFactory.create_batch(messages, conversation=conversation)
    return conversation
