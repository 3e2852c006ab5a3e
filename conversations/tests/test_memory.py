"""Many conversations at once: what a worker's batch reads and writes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from conversations.memory import Said, recent_of_many
from conversations.models import Conversation, Message
from users.models import User
from users.tests.factories import UserFactory
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def people() -> list[User]:
    return [UserFactory.create() for _ in range(3)]


def say(user: User, *contents: str, bot: str = "shop") -> None:
    Conversation.objects.remember_many([((user.pk, bot), [Said("user", content) for content in contents])])


def contents(user: User, bot: str = "shop", limit: int = 50) -> list[str]:
    return [said.content for said in recent_of_many([(user.pk, bot)], limit).get((user.pk, bot), [])]


def test_each_conversation_gets_its_own_messages_oldest_first_and_at_most_so_many(people: list[User]) -> None:
    alice, bob, charlie = people
    say(alice, "a1", "a2", "a3")
    say(bob, "b1")
    say(alice, "a4")
    say(alice, "other", bot="another")

    owners = [(user.pk, "shop") for user in people]
    recent = recent_of_many(owners, 2)

    assert [said.content for said in recent[alice.pk, "shop"]] == ["a3", "a4"]
    assert [said.content for said in recent[bob.pk, "shop"]] == ["b1"]
    assert (charlie.pk, "shop") not in recent
    assert (alice.pk, "another") not in recent


def test_reading_and_writing_cost_the_same_number_of_queries_for_one_and_for_many(
    people: list[User], django_assert_num_queries: Any
) -> None:
    for chosen in (people[:1], people):
        with transaction.atomic(), django_assert_num_queries(3):
            Conversation.objects.remember_many(
                [((user.pk, "shop"), [Said("user", "Hi"), Said("assistant", "Hello")]) for user in chosen]
            )
        with django_assert_num_queries(1):
            recent_of_many([(user.pk, "shop") for user in chosen], 10)


def test_two_turns_of_one_person_in_a_batch_are_both_remembered(people: list[User]) -> None:
    owner = (people[0].pk, "shop")
    Conversation.objects.remember_many([(owner, [Said("user", "one")]), (owner, [Said("user", "two")])])
    assert contents(people[0]) == ["one", "two"]
    assert Conversation.objects.count() == 1


def test_an_expired_conversation_is_not_shown_and_starts_again_empty(people: list[User]) -> None:
    alice, bob, _ = people
    say(alice, "long ago")
    say(bob, "today")
    Conversation.objects.filter(user=alice).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert contents(alice) == []
    say(alice, "new")

    assert contents(alice) == ["new"]
    assert contents(bob) == ["today"]
    assert set(Message.objects.values_list("content", flat=True)) == {"new", "today"}


def test_nothing_costs_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        Conversation.objects.remember_many([])
        assert recent_of_many([], 10) == {}


@pytest.mark.django_db(transaction=True)
def test_of_two_that_revive_an_expired_conversation_at_once_neither_loses_its_message() -> None:
    alice = UserFactory.create()
    say(alice, "long ago")
    Conversation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    def speak(text: str) -> None:
        with transaction.atomic():
            say(alice, text)
        connection.close()

    together(lambda: speak("one"), lambda: speak("two"))

    assert sorted(contents(alice)) == ["one", "two"]


def test_a_message_names_its_turn_and_who_of_the_staff_wrote_it_while_they_are_there() -> None:
    person, staff = UserFactory.create(), UserFactory.create()
    said = [Said("user", "Hi", turn_key=7), Said("assistant", "Hello", turn_key=7, author=staff.pk)]
    Conversation.objects.remember_many([((person.pk, "shop"), said)])
    assert list(Message.objects.order_by("pk").values_list("turn_key", "author")) == [(7, None), (7, staff.pk)]
    staff.delete()
    assert list(Message.objects.values_list("author", flat=True)) == [None, None], "what they wrote stays"
