"""How much is held about somebody, in numbers."""

import pytest
from django.test import Client

from bot.tests.admin.people.erasing import page_of
from bot.tests.support.factories import InboundFactory
from conversations.models import Conversation
from users.models import User
from users.tests.factories import alice, charlie

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    staff = alice()
    client.force_login(staff)
    return staff


@pytest.fixture
def person(owner: User) -> User:
    person = charlie()
    InboundFactory.create(address=person.phone_number, state="done")
    Conversation.objects.find_or_create(person, "bot-0").messages.create(role="user", content="my secret")
    return person


def test_the_page_shows_how_much_is_held(client: Client, person: User) -> None:
    change = client.get(page_of(person, "change")).content.decode()
    assert page_of(person) in change
    page = client.get(page_of(person)).content.decode()
    assert "<li>Messages in the inbox: 1</li>" in page
    assert "<li>Remembered messages: 1</li>" in page
    assert "my secret" not in page
