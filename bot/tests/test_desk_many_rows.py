"""What is done with many rows at once on the desk: no more than the list counts, and deletions said in numbers."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from bot.models import AccessRequest, Bot
from bot.tests.desk_lists import LISTS, asked, path_of
from users.models import User
from users.tests.factories import UserFactory, alice

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> Client:
    """A client of Alice, who sees everything."""
    client.force_login(alice())
    return client


def test_more_rows_than_a_list_counts_are_not_acted_on_at_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("users.paginator.MOST", 3)
    people = UserFactory.create_batch(3)
    chosen = {"action": "block", "select_across": "1", "_selected_action": str(people[0].pk)}
    answer = owner.post(path_of("users.user"), chosen, follow=True)
    assert "At most 3 rows" in answer.content.decode()
    assert User.objects.filter(is_whitelisted=True).count() == 4  # (with Alice)


def test_as_many_as_a_list_counts_are_acted_on_at_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("users.paginator.MOST", 4)
    people = UserFactory.create_batch(3)
    chosen = {"action": "block", "select_across": "1", "_selected_action": str(people[0].pk)}
    answer = owner.post(path_of("users.user"), chosen, follow=True)
    assert "At most" not in answer.content.decode()


def rows_named(page: str) -> int:
    """Return how many rows the page that asks before a deletion links to."""
    return len(re.findall(r'<li>[^<]*: <a href="/admin/', page))


def test_the_page_before_a_deletion_says_in_numbers_what_goes_with_a_row(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, _ = LISTS["bot.accessrequest"]
    bots: list[Model] = [make(number).bot for number in range(1, 13)]  # type: ignore[attr-defined]
    bot = bots[0]
    for number in range(100, 120):
        type(make(number)).objects.filter(address=f"+4915200{number:05}").update(bot=bot)  # type: ignore[attr-defined]
    path = reverse("admin:bot_bot_delete", args=(bot.pk,))
    page = owner.get(path).content.decode()
    assert "Access requests: 21" in page
    assert rows_named(page) == 1
    few = len(asked(owner, path))
    monkeypatch.setattr("users.paginator.MOST", 10)
    assert "Access requests: &gt; 10" in owner.get(path).content.decode()
    assert len(asked(owner, path)) == few
    owner.post(path, {"post": "yes"})
    assert not Bot.objects.filter(pk=bot.pk).exists()


def test_who_may_not_delete_what_goes_with_a_row_does_not_delete_the_row(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, _ = LISTS["bot.accessrequest"]
    bot: Any = make(1).bot  # type: ignore[attr-defined]
    path = reverse("admin:bot_bot_delete", args=(bot.pk,))
    monkeypatch.setattr(
        type(admin.site.get_model_admin(AccessRequest)), "has_delete_permission", lambda *arguments: False
    )
    assert "access request" in " ".join(owner.get(path).context["perms_lacking"])
    assert owner.post(path, {"post": "yes"}).status_code == 403
    assert Bot.objects.filter(pk=bot.pk).exists()
