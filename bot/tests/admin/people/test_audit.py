"""The audit log in the admin: sentences, with links to who is still there, for owners only, never changed."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from users.models import AuditEntry, User
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob

pytestmark = pytest.mark.django_db
LIST = reverse("admin:users_auditentry_changelist")
Action = AuditEntry.Action


@pytest.fixture
def owner(client: Client) -> User:
    staff = alice(phone_number="+491700000001")
    client.force_login(staff)
    return staff


def sentences(client: Client) -> list[str]:
    rows = client.get(LIST).content.decode().split("field-sentence")[1:]
    return [" ".join(strip_tags(row.partition(">")[2].partition("</td>")[0]).split()) for row in rows]


def test_each_entry_is_a_sentence_the_newest_first(client: Client, owner: User) -> None:
    person = bob(phone_number="+491711234567")
    for action, subject, actor, via in (
        (Action.READ, person.pk, owner, "admin"),
        (Action.EXPORTED, person.pk, None, "chat"),
        (Action.ERASED, 987654, owner, "admin"),
        (Action.ERASED, None, None, "command"),
    ):
        AuditEntry.objects.create(action=action, subject=subject, actor=actor, via=via)
    assert sentences(client) == [
        "Somebody at the server&#x27;s terminal erased everything about an address that belonged to nobody",
        "Alice (+49…01) erased everything about person 987654 (gone)",
        "The person themselves exported what is held about Bob (+49…67)",
        "Alice (+49…01) read a conversation of Bob (+49…67)",
    ]


def test_who_had_something_done_to_them_is_not_named_as_who_did_it(client: Client, owner: User) -> None:
    person = bob(phone_number="+491711234567")
    for action, details in ((Action.LINKED, {"invite": 12, "by": owner.pk}), (Action.NUMBER, {"by": "provider"})):
        AuditEntry.objects.create(action=action, subject=person.pk, via="chat", details=details)
    assert sentences(client) == [
        "The provider changed the phone number of Bob (+49…67)",
        "Somebody with invite 12 added an address to Bob (+49…67)",
    ]


def test_who_is_still_there_is_linked_and_who_is_gone_is_not(client: Client, owner: User) -> None:
    person = bob(name="{actor} <b>")
    AuditEntry.objects.create(action=Action.READ, subject=person.pk, actor=owner, via="admin")
    AuditEntry.objects.create(action=Action.ERASED, subject=987654, actor=owner, via="admin")
    page = client.get(LIST).content.decode()
    assert f'href="{reverse("admin:users_user_change", args=(person.pk,))}">{{actor}} &lt;b&gt;' in page
    assert reverse("admin:users_user_change", args=(987654,)) not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "987654"}, ["erased"]),
        ({"q": "0049 171 1234567"}, ["read"]),
        ({"q": "nobody"}, []),
        ({"q": "9" * 40}, []),
        ({"action__exact": "erased"}, ["erased"]),
        ({"via": "admin"}, ["read"]),
    ],
)
def test_entries_are_found_by_person_action_and_place(
    client: Client, owner: User, query: dict[str, str], found: list[str]
) -> None:
    person = bob(phone_number="+491711234567")
    AuditEntry.objects.create(action=Action.READ, subject=person.pk, actor=owner, via="admin")
    AuditEntry.objects.create(action=Action.ERASED, subject=987654, via="chat")
    entries = client.get(LIST, query).context["cl"].result_list
    assert [entry.action for entry in entries] == found


def test_a_page_costs_as_much_for_many_entries_as_for_few(client: Client, owner: User) -> None:
    def add(count: int) -> None:
        for _number in range(count):
            subject, actor = UserFactory.create(), UserFactory.create(role=Role.ADMIN)
            AuditEntry.objects.create(action=Action.READ, subject=subject.pk, actor=actor, via="admin")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        return len(captured)

    add(3)
    few = queries()
    add(27)
    assert queries() == few == 5  # session, who asks, the count, the page, the people


def test_it_is_for_owners(client: Client) -> None:
    client.force_login(UserFactory.create(role=Role.ADMIN))
    assert client.get(LIST).status_code == 403
