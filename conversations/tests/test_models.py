from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.tests.factories import ConversationFactory, MessageFactory, add_messages
from users.tests.factories import bob, charlie
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def contents(messages):
    return [message.content for message in messages]


def test_a_user_and_a_bot_have_one_conversation():
    user = bob()
    first = Conversation.objects.find_or_create(user)
    assert Conversation.objects.find_or_create(user) == first
    assert Conversation.objects.find_or_create(user, "helper") != first
    assert Conversation.objects.find_or_create(charlie()) != first
    assert Conversation.objects.count() == 3


def test_finding_a_conversation_that_goes_on_costs_one_query(django_assert_num_queries):
    conversation = ConversationFactory.create()
    with django_assert_num_queries(1):
        assert Conversation.objects.find_or_create(conversation.user) == conversation


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_a_conversation_at_once_share_it():
    user = bob()
    results = together(*[lambda: Conversation.objects.find_or_create(user)] * 4)
    assert results == [Conversation.objects.get()] * 4


def test_every_message_puts_the_end_off(settings):
    settings.CONVERSATION_TTL_DAYS = 7
    with time_machine.travel(NOON, tick=False) as clock:
        conversation = Conversation.objects.find_or_create(bob())
        assert conversation.expires_at == NOON + timedelta(days=7)
        clock.shift(timedelta(days=6))
        Conversation.objects.add_message(conversation, "user", "still there?")
        assert conversation.expires_at == NOON + timedelta(days=13)
        conversation.refresh_from_db()
        assert conversation.expires_at == NOON + timedelta(days=13)
        clock.shift(timedelta(days=1))
        Conversation.objects.find_or_create(conversation.user)  # looking does not
        conversation.refresh_from_db()
        assert conversation.expires_at == NOON + timedelta(days=13)


def test_messages_are_recalled_in_their_order_newest_last():
    conversation = ConversationFactory.create()
    with time_machine.travel(NOON, tick=False):
        conversation.expires_at = NOON + timedelta(days=1)
        conversation.save()
        add_messages(conversation, [("user", "one"), ("assistant", "two"), ("user", "three")])
        added = Conversation.objects.add_message(conversation, "assistant", "four")
        recent = Conversation.objects.get_recent(conversation.user, 3)
    assert contents(recent) == ["two", "three", "four"]
    assert [message.role for message in recent] == ["assistant", "user", "assistant"]
    assert recent[-1] == added
    assert added.created_at == NOON


def test_a_message_is_added_by_one_short_transaction():
    conversation = ConversationFactory.create()
    with CaptureQueriesContext(connection) as queries:
        Conversation.objects.add_message(conversation, "user", "hello")
    statements = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert statements == ["SELECT", "INSERT", "INSERT", "SELECT"]


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, []), (-1, []), (1, ["c"]), (3, ["a", "b", "c"]), (50, ["a", "b", "c"])]
)
def test_no_more_is_recalled_than_asked_for(limit, expected, django_assert_max_num_queries):
    conversation = ConversationFactory.create()
    add_messages(conversation, [("user", text) for text in "abc"])
    with django_assert_max_num_queries(1):
        assert contents(Conversation.objects.get_recent(conversation.user, limit)) == expected


def test_histories_of_two_people_and_two_bots_never_mix():
    first, second = bob(), charlie()
    for user, bot, text in [(first, "", "a"), (first, "helper", "b"), (second, "", "c")]:
        Conversation.objects.add_message(Conversation.objects.find_or_create(user, bot), "user", text)
    assert contents(Conversation.objects.get_recent(first, 9)) == ["a"]
    assert contents(Conversation.objects.get_recent(first, 9, "helper")) == ["b"]
    assert contents(Conversation.objects.get_recent(second, 9)) == ["c"]
    assert Conversation.objects.get_recent(second, 9, "helper") == []


def test_nothing_is_recalled_of_an_expired_conversation():
    message = MessageFactory.create(conversation__expired=True)
    assert Conversation.objects.get_recent(message.conversation.user, 9) == []
    assert list(Conversation.objects.expired()) == [message.conversation]
    assert not Conversation.objects.live().exists()


def test_a_conversation_expires_at_its_moment_not_after_it():
    conversation = ConversationFactory.create(expires_at=NOON)
    assert list(Conversation.objects.expired(NOON)) == [conversation]
    assert list(Conversation.objects.live(NOON - timedelta(microseconds=1))) == [conversation]


def test_an_expired_conversation_starts_again_empty():
    old = MessageFactory.create(conversation__expired=True)
    other = MessageFactory.create(conversation__expired=True)
    conversation = Conversation.objects.find_or_create(old.conversation.user)
    assert conversation == old.conversation
    assert conversation.expires_at > timezone.now() + timedelta(days=6)
    assert conversation.created_at > old.created_at
    assert list(Message.objects.all()) == [other]


def test_a_conversation_that_another_process_restarted_first_keeps_what_was_said_since():
    conversation = ConversationFactory.create(expired=True)
    late: list[str] = []

    def restart_first(execute, sql, params, many, context):
        if sql.strip().startswith("SELECT conversation.id") and not late:
            late.append(sql)
            Conversation.objects.add_message(conversation, "user", "new")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(restart_first):
        assert Conversation.objects.find_or_create(conversation.user) == conversation
    assert late
    assert contents(Conversation.objects.get_recent(conversation.user, 9)) == ["new"]


def test_a_message_revives_an_expired_conversation_without_what_was_said_before():
    old = MessageFactory.create(conversation__expired=True)
    Conversation.objects.add_message(old.conversation, "user", "hello again")
    assert contents(Conversation.objects.get_recent(old.conversation.user, 9)) == ["hello again"]
    assert contents(Message.objects.all()) == ["hello again"]


def test_a_message_for_a_conversation_that_was_purged_meanwhile_is_kept():
    conversation = ConversationFactory.create(bot="helper")
    Conversation.objects.all().delete()
    added = Conversation.objects.add_message(conversation, "user", "hello")
    assert contents(Conversation.objects.get_recent(conversation.user, 9, "helper")) == ["hello"]
    assert added.conversation == Conversation.objects.get()


@pytest.mark.django_db(transaction=True)
def test_processes_that_revive_a_conversation_at_once_lose_no_message():
    old = MessageFactory.create(conversation__expired=True)
    stale = old.conversation

    def write(text):
        return Conversation.objects.add_message(Conversation.objects.get(pk=stale.pk), "user", text)

    results = together(lambda: write("a"), lambda: write("b"), lambda: write("c"))
    assert {type(result) for result in results} == {Message}
    assert sorted(contents(Conversation.objects.get_recent(stale.user, 9))) == ["a", "b", "c"]


def test_clearing_forgets_every_message_of_one_user_and_bot():
    conversation = ConversationFactory.create()
    MessageFactory.create_batch(3, conversation=conversation)
    kept = [
        MessageFactory.create(conversation__user=conversation.user, conversation__bot="helper"),
        MessageFactory.create(),
    ]
    assert Conversation.objects.clear_conversation(conversation.user) == 3
    assert Conversation.objects.clear_conversation(conversation.user) == 0
    assert Conversation.objects.clear_conversation(bob()) == 0
    assert list(Message.objects.order_by("pk")) == kept


@pytest.mark.parametrize(
    ("content", "stored"),
    [("a\x00b", "ab"), ("\x00", ""), ("a\ud83db", "ab"), ("Grüße 👍🏽\n\t", "Grüße 👍🏽\n\t"), ("", "")],
)
def test_what_the_database_cannot_hold_is_taken_out_and_nothing_else(content, stored):
    message = Conversation.objects.add_message(ConversationFactory.create(), "assistant", content)
    message.refresh_from_db()
    assert message.content == stored


@pytest.mark.parametrize("role", ["tool", "", "USER"])
def test_an_unknown_role_is_refused_and_nothing_is_stored(role):
    conversation = ConversationFactory.create()
    before = conversation.expires_at
    with pytest.raises(ValueError, match="system, user, assistant"):
        add_messages(conversation, [("user", "hello"), (role, "x")])
    conversation.refresh_from_db()
    assert conversation.expires_at == before
    assert not Message.objects.exists()


def test_a_conversations_text_never_shows_what_was_said():
    message = MessageFactory.create(content="a secret")
    assert "secret" not in f"{message} {message.conversation}"
