"""What is done with many rows at once on the desk: no more than the list counts, and deletions said in numbers."""

import pytest
from django.test import Client

from bot.tests.support.desk_lists import path_of
from users.models import User
from users.tests.factories import UserFactory, alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def owner(client: Client) -> Client:
    """A client of Alice, who sees everything."""
    client.force_login(alice())
    return client


def test_more_rows_than_a_list_counts_are_not_acted_on_at_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.desk.paginator.MOST", 3)
    people = UserFactory.create_batch(3)
    chosen = {"action": "block", "select_across": "1", "_selected_action": str(people[0].pk)}
    answer = owner.post(path_of("users.user"), chosen, follow=True)
    assert "At most 3 rows" in answer.content.decode()
    assert User.objects.filter(is_whitelisted=True).count() == 4  # (with Alice)


def test_as_many_as_a_list_counts_are_acted_on_at_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.desk.paginator.MOST", 4)
    people = UserFactory.create_batch(3)
    chosen = {"action": "block", "select_across": "1", "_selected_action": str(people[0].pk)}
    answer = owner.post(path_of("users.user"), chosen, follow=True)
    assert "At most" not in answer.content.decode()
