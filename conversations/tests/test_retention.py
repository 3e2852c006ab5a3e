import threading

import pytest
from django.db import connection, transaction

from config.db import batches
from config.db.batches import delete_in_batches
from conversations import retention
from conversations.models import Conversation, Message
from conversations.retention import CleanedConversations, cleanup_expired_conversations
from conversations.tests.expired import expired_conversation
from conversations.tests.factories import MessageFactory
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_only_what_expired_goes():
    expired_conversation(3)
    expired_conversation(0)
    kept = MessageFactory.create()
    assert cleanup_expired_conversations() == CleanedConversations(messages=3, conversations=2)
    assert list(Message.objects.all()) == [kept]
    assert list(Conversation.objects.all()) == [kept.conversation]


def test_a_second_run_finds_nothing():
    expired_conversation()
    cleanup_expired_conversations()
    assert cleanup_expired_conversations() == CleanedConversations(0, 0)


def test_a_dry_run_counts_and_deletes_nothing():
    expired_conversation(3)
    MessageFactory.create()
    assert cleanup_expired_conversations(dry_run=True) == CleanedConversations(3, 1)
    assert Message.objects.count() == 4


def test_someone_who_writes_while_the_purge_runs_keeps_what_they_wrote():
    conversation = expired_conversation(3)
    other = expired_conversation(2)

    def revive(done, total):
        # After the old messages went and before the conversations go.
        if conversation.messages.count() == 0:
            Conversation.objects.add_message(conversation, "user", "hello again")

    assert cleanup_expired_conversations(progress=revive).conversations == 1
    assert [m.content for m in Conversation.objects.get_recent(conversation.user, 9)] == ["hello again"]
    assert not Conversation.objects.filter(pk=other.pk).exists()


def test_someone_who_wrote_just_before_the_deletion_of_their_conversation_keeps_it(monkeypatch):
    conversation = expired_conversation(1)

    def delete_late(queryset, **options):
        if queryset.model is Conversation:
            Conversation.objects.find_or_create(conversation.user)
        return delete_in_batches(queryset, **options)

    monkeypatch.setattr(retention, "delete_in_batches", delete_late)
    assert cleanup_expired_conversations() == CleanedConversations(1, 0)
    assert Conversation.objects.filter(pk=conversation.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_purges_in_parallel_with_people_who_write_lose_nothing_new():
    conversations = [expired_conversation(5) for _ in range(12)]
    revived = conversations[::3]

    def write():
        for conversation in revived:
            Conversation.objects.add_message(conversation, "user", "new")

    results = together(cleanup_expired_conversations, cleanup_expired_conversations, write)
    assert [result for result in results if isinstance(result, Exception)] == []
    cleanup_expired_conversations()
    assert set(Message.objects.values_list("content", flat=True)) == {"new"}
    assert Message.objects.count() == len(revived)
    assert set(Conversation.objects.values_list("user", flat=True)) == {c.user_id for c in revived}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Message, Conversation])
def test_who_writes_between_choice_and_deletion_starts_anew_and_keeps_it(monkeypatch, model):
    conversation, other = expired_conversation(3), expired_conversation(2)
    delete = batches._delete
    written: list[object] = []

    def delete_late(rows, span):
        if rows.model is model and not written:
            # (In a thread of its own: another connection, which commits before the deletion.)
            written.extend(together(lambda: Conversation.objects.add_message(conversation, "user", "hello again")))
        return delete(rows, span)

    monkeypatch.setattr(batches, "_delete", delete_late)
    cleaned = cleanup_expired_conversations()
    assert [type(one) for one in written] == [Message]
    assert cleaned.conversations == 1
    assert [message.content for message in Message.objects.all()] == ["hello again"]
    assert Conversation.objects.get().user == conversation.user
    assert not Conversation.objects.filter(pk=other.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_writing_at_that_moment_is_left_alone():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    conversation, other = expired_conversation(3), expired_conversation(2)
    writing, purged = threading.Event(), threading.Event()

    def write():
        with transaction.atomic():
            Conversation.objects.add_message(conversation, "user", "hello again")
            writing.set()
            assert purged.wait(10)

    def purge():
        assert writing.wait(10)
        try:
            return cleanup_expired_conversations()
        finally:
            purged.set()

    assert together(write, purge)[1] == CleanedConversations(messages=2, conversations=1)
    assert [message.content for message in Message.objects.all()] == ["hello again"]
    assert not Conversation.objects.filter(pk=other.pk).exists()


def test_a_conversation_that_still_has_a_message_is_left_and_stops_nothing(monkeypatch):
    conversation, other = expired_conversation(3), expired_conversation(2)
    delete = batches._delete

    def delete_late(rows, span):
        if rows.model is Conversation and not Message.objects.exists():
            # As one that another process held when the messages went.
            MessageFactory.create(conversation=conversation)
        return delete(rows, span)

    monkeypatch.setattr(batches, "_delete", delete_late)
    assert cleanup_expired_conversations() == CleanedConversations(messages=5, conversations=1)
    assert Message.objects.get().conversation == conversation
    assert not Conversation.objects.filter(pk=other.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_ends_between_messages_and_conversations_is_finished_by_the_next(monkeypatch):
    expired_conversation(3)
    kept = MessageFactory.create()
    delete = batches._delete

    def die(rows, span):
        if rows.model is Conversation:
            raise KeyboardInterrupt
        return delete(rows, span)

    monkeypatch.setattr(batches, "_delete", die)
    with pytest.raises(KeyboardInterrupt):
        cleanup_expired_conversations()
    assert (Message.objects.count(), Conversation.objects.count()) == (1, 2)
    monkeypatch.undo()
    assert cleanup_expired_conversations() == CleanedConversations(0, 1)
    assert list(Message.objects.all()) == [kept]
