import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.admin import SHOWN_MESSAGES
from conversations.models import Conversation, Message
from conversations.tests.factories import ConversationFactory, MessageFactory
from users.models import AuditEntry, User
from users.roles import Role
from users.tests.factories import alice, bob

pytestmark = pytest.mark.django_db

LIST = reverse("admin:conversations_conversation_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client):
    client.force_login(alice())


def page(conversation):
    return reverse("admin:conversations_conversation_change", args=[conversation.pk])


@pytest.mark.parametrize("term", ["Bob", "0049 (0)171 123-4567", "helper"])
def test_a_conversation_is_found_by_person_and_bot(client, term):
    conversation = ConversationFactory.create(user=bob(phone_number="+491711234567"), bot="helper")
    ConversationFactory.create()
    assert list(client.get(LIST, {"q": term}).context["cl"].result_list) == [conversation]


def test_the_list_takes_the_same_number_of_queries_for_many_conversations(client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        return len(captured)

    ConversationFactory.create()
    few = queries()
    for conversation in ConversationFactory.create_batch(10):
        MessageFactory.create(conversation=conversation)
    assert queries() == few


def test_the_last_messages_are_shown_escaped_and_in_order(client):
    conversation = ConversationFactory.create()
    MessageFactory.create_batch(SHOWN_MESSAGES, conversation=conversation, content="<b>bold</b>")
    MessageFactory.create(conversation=conversation, content="the last word")
    html = client.get(page(conversation)).content.decode()
    assert "<b>bold</b>" not in html
    assert html.count("&lt;b&gt;bold&lt;/b&gt;") == SHOWN_MESSAGES - 1
    assert html.rindex("the last word") > html.rindex("bold")


def test_nobody_adds_or_rewrites_a_conversation(client):
    conversation = MessageFactory.create(content="said").conversation
    assert client.get(reverse("admin:conversations_conversation_add")).status_code == 403
    assert client.post(page(conversation), {"bot": "other"}).status_code == 403
    conversation.refresh_from_db()
    assert conversation.bot == ""


def test_a_conversation_can_be_forgotten(client):
    conversation = MessageFactory.create().conversation
    client.post(reverse("admin:conversations_conversation_delete", args=[conversation.pk]), {"post": "yes"})
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_who_reads_a_conversation_is_in_the_audit_log(client):
    conversation = MessageFactory.create(content="a secret").conversation
    client.get(LIST)
    assert not AuditEntry.objects.exists()
    assert "a secret" in client.get(page(conversation)).content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.via) == ("read", conversation.user_id, "admin")
    assert entry.actor == User.objects.get(role=Role.OWNER)
    assert entry.details == {"conversation": conversation.pk}


def test_who_may_not_read_it_or_finds_none_leaves_no_entry(client):
    conversation = ConversationFactory.create()
    client.get(reverse("admin:conversations_conversation_change", args=[conversation.pk + 1]))
    client.get(reverse("admin:conversations_conversation_change", args=["x"]))
    client.force_login(bob(role=Role.ADMIN))
    assert client.get(page(conversation)).status_code == 403
    assert not AuditEntry.objects.exists()
