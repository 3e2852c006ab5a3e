"""Actions of the list of people say whom they change and whom not."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from users.models import User
from users.roles import Role
from users.tests.admin.people_pages import texts
from users.tests.factories import UserFactory, alice, bob, charlie
from users.tests.whitelist.choosing import choose

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LIST = reverse("admin:users_user_changelist")


@pytest.fixture
def owner(client: Client) -> User:
    staff = alice()
    client.force_login(staff)
    return staff


def test_the_page_says_who_changes_and_who_does_not_and_why(client: Client, owner: User) -> None:
    page = choose(client, "block", [bob(phone_number="+491711234567"), charlie()]).content.decode()
    assert "1 person will be removed from the whitelist." in page
    assert "<li>Bob +491711234567</li>" in page
    assert re.search(r"<li>Charlie \+\d+: not on the whitelist anyway</li>", page)


def test_where_nobody_would_change_there_is_only_the_way_back(client: Client, owner: User) -> None:
    page = choose(client, "allow", [bob()]).content.decode()
    assert "Nobody would be changed." in page and "Back to the list" in page
    assert 'class="desk-button primary"' not in page


def test_an_admin_is_told_that_staff_are_left_out_and_they_are(client: Client) -> None:
    colleague, person = bob(role=Role.ADMIN), UserFactory.create(name="Dana")
    client.force_login(UserFactory.create(role=Role.ADMIN))
    page = choose(client, "block", [colleague, person]).content.decode()
    assert re.search(r"<li>Bob \+\d+: an owner or admin: only an owner changes them</li>", page)
    assert "1 person will be removed" in page
    choose(client, "block", [colleague, person], confirmed="1")
    assert set(User.objects.filter(is_whitelisted=False)) == {person}


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


@pytest.mark.parametrize(
    ("action", "allowed", "text"),
    [
        ("allow", True, "2 people were added to the whitelist."),
        ("block", False, "1 person was removed from the whitelist."),
    ],
)
def test_the_actions_allow_and_block_and_say_how_many(as_alice, action, allowed, text):
    people = [bob(), charlie(), charlie()]
    outside = UserFactory.create(is_whitelisted=not allowed)
    chosen = {"action": action, "_selected_action": [person.pk for person in people]}
    response = as_alice.post(LIST, {**chosen, "confirmed": "1"})
    assert texts(response) == [text]
    assert set(User.objects.filter(pk__in=[p.pk for p in people]).values_list("is_whitelisted", flat=True)) == {allowed}
    outside.refresh_from_db()
    assert outside.is_whitelisted is not allowed
