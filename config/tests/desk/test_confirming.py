"""Actions of the list of people ask before they change anybody, and say whom they would change and whom not."""

import re
from typing import Any

import pytest
from django.test import Client

from users.models import User
from users.tests.factories import UserFactory, alice, bob, charlie
from users.tests.whitelist.choosing import LIST, choose

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    staff = alice()
    client.force_login(staff)
    return staff


def hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)


@pytest.mark.parametrize("action", ["allow", "block"])
def test_nobody_is_changed_until_it_is_confirmed(client: Client, owner: User, action: str) -> None:
    people = [bob(), charlie()]
    before = list(User.objects.order_by("pk").values())
    response = choose(client, action, people)
    assert response.status_code == 200
    choose(client, action, people, confirmed="0")
    assert list(User.objects.order_by("pk").values()) == before


def test_what_the_page_posts_does_it_to_the_same_people_of_the_same_list(client: Client, owner: User) -> None:
    people, outside = [charlie(), charlie()], charlie()
    page = choose(client, "allow", people, "?q=Charlie&is_whitelisted__exact=0").content.decode()
    assert f'<form method="post" action="{LIST}?q=Charlie&amp;is_whitelisted__exact=0"' in page
    assert hidden(page, "_selected_action") == [str(person.pk) for person in people]
    posted = {name: hidden(page, name) for name in ("action", "_selected_action", "select_across", "confirmed")}
    response = client.post(f"{LIST}?q=Charlie&is_whitelisted__exact=0", posted)
    assert response.status_code == 302
    assert set(User.objects.filter(is_whitelisted=True)) == {owner, *people}
    assert not User.objects.get(pk=outside.pk).is_whitelisted


def test_all_of_a_search_can_be_chosen_and_nobody_besides(client: Client, owner: User) -> None:
    people, other = UserFactory.create_batch(3, name="Dana", is_whitelisted=False), charlie()
    page = choose(client, "allow", people[:1], "?q=Dana", select_across="1").content.decode()
    assert "3 people will be added to the whitelist." in page
    assert hidden(page, "select_across") == ["1"]
    choose(client, "allow", people[:1], "?q=Dana", select_across="1", confirmed="1")
    assert set(User.objects.filter(is_whitelisted=True)) == {owner, *people}
    assert not User.objects.get(pk=other.pk).is_whitelisted


def test_the_first_twenty_are_named_and_the_others_counted_in_as_many_queries(
    client: Client, owner: User, django_assert_num_queries: Any
) -> None:
    people = UserFactory.create_batch(25)
    blocked = UserFactory.create_batch(22, is_whitelisted=False)
    # The session and who asks, three for the list, then: how many change, their names, whom not, of how many. (This
    # list is bot/admin's, which reads budgets and spends as well.)
    with django_assert_num_queries(10):
        page = choose(client, "block", [*people, *blocked]).content.decode()
    assert "and 5 more" in page and "and 2 more" in page
    assert len(re.findall(r"<li>[^<]+ \+\d+</li>", page)) == 20


def test_names_are_escaped_and_a_forged_post_is_refused(client: Client, owner: User) -> None:
    person = charlie(name="<script>alert(1)</script>")
    page = choose(client, "allow", [person]).content.decode()
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert choose(strict, "allow", [person], confirmed="1").status_code == 403
    assert not User.objects.get(pk=person.pk).is_whitelisted
