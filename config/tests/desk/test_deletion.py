"""What goes with rows that are deleted is said in numbers before."""

import re

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from bot.models import AccessRequest
from bot.tests.support.desk_lists import LISTS, asked
from config.desk.deletion import what_goes
from conversations.models import Conversation, Message
from conversations.tests.factories import ConversationFactory, MessageFactory
from users.tests.factories import alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def owner(client: Client) -> Client:
    """A client of Alice, who sees everything."""
    client.force_login(alice())
    return client


def rows_named(page: str) -> int:
    """Return how many rows the page that asks before a deletion links to."""
    return len(re.findall(r'<li>[^<]*: <a href="/admin/', page))


def test_the_page_before_a_deletion_says_in_numbers_what_goes_with_a_row(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = ConversationFactory.create()
    MessageFactory.create_batch(21, conversation=conversation)
    path = reverse("admin:conversations_conversation_delete", args=(conversation.pk,))
    page = owner.get(path).content.decode()
    assert "Messages: 21" in page
    assert rows_named(page) == 1
    few = len(asked(owner, path))
    monkeypatch.setattr("config.desk.paginator.MOST", 10)
    assert "Messages: &gt; 10" in owner.get(path).content.decode()
    assert len(asked(owner, path)) == few
    owner.post(path, {"post": "yes"})
    assert not Conversation.objects.exists() and not Message.objects.exists()


def test_who_may_not_delete_what_goes_with_a_row_does_not_delete_the_row(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = LISTS["bot.accessrequest"][0](1).bot  # type: ignore[attr-defined]
    request = rf.get("/")
    request.user = alice()
    monkeypatch.setattr(
        type(admin.site.get_model_admin(AccessRequest)), "has_delete_permission", lambda *arguments: False
    )
    _rows, _counts, forbidden, _protected = what_goes([bot], request, admin.site)
    assert "access request" in forbidden
