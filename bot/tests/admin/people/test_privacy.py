"""What is held about people, in the admin: owners see, export and erase it, and the audit log says so."""

import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from bot.models import InboundMessage, OutboundMessage
from bot.tests.admin.people.erasing import page_of
from bot.tests.support.factories import InboundFactory
from conversations.models import Conversation
from users.models import AuditEntry, User
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = pytest.mark.django_db

LIST = reverse("admin:users_user_changelist")
ERASE = reverse("admin:users_user_erase")


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


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def content(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def test_a_person_is_erased_from_their_page(client: Client, owner: User, person: User) -> None:
    key = person.pk
    page = client.get(page_of(person)).content.decode()
    assert f'name="person" value="{key}"' in page
    assert f"<strong>erase person {key}</strong>" in page
    response = client.post(ERASE, {"person": key, "confirmation": f" Erase  person {key} "})
    assert response["Location"] == LIST
    assert said(response) == ["1 person was erased."]
    assert not User.objects.filter(pk=key).exists()
    assert (InboundMessage.objects.count(), Conversation.objects.count()) == (0, 0)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor, entry.via) == ("erased", key, owner, "admin")
    # Django's own history would have kept their name.
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("typed", [None, "", "yes", "erase person", "erase person {other}", "erase 1 person", "<b>"])
def test_nobody_is_erased_until_what_the_page_asks_for_is_typed(
    typed: str | None, client: Client, owner: User, person: User
) -> None:
    text = typed and typed.format(other=owner.pk)
    response = client.post(ERASE, {"person": person.pk} | ({} if text is None else {"confirmation": text}))
    assert response.status_code == 200
    page = response.content.decode()
    assert f"Nothing was erased: what you typed is not “erase person {person.pk}”." in page
    # Nothing is lost: who was chosen, and what was typed.
    assert f'name="person" value="{person.pk}"' in page
    assert f'value="{escape(text or "")}"' in page
    assert (User.objects.count(), InboundMessage.objects.count(), AuditEntry.objects.count()) == (2, 1, 0)


def test_of_several_none_is_erased_until_their_number_is_typed(client: Client, person: User) -> None:
    chosen = [person.pk, bob().pk]
    page = client.post(ERASE, {"person": chosen, "confirmation": f"erase person {person.pk}"}).content.decode()
    assert [int(one) for one in re.findall(r'name="person" value="(\d+)"', page)] == chosen
    assert "is not “erase 2 people”" in page
    assert User.objects.count() == 3


def test_several_are_erased_and_one_who_must_stay_keeps_no_other(client: Client, owner: User, person: User) -> None:
    other = bob()
    chosen = {"action": "erase_selected", "_selected_action": [owner.pk, person.pk, other.pk]}
    page = client.post(LIST, chosen).content.decode()
    found = re.findall(r'name="person" value="(\d+)"', page)
    assert sorted(map(int, found)) == sorted([owner.pk, person.pk, other.pk])
    assert "<strong>erase 3 people</strong>" in page
    response = client.post(ERASE, {"person": found, "confirmation": "erase 3 people"})
    assert said(response) == ["This is the last owner. Make somebody else an owner first.", "2 people were erased."]
    assert list(User.objects.all()) == [owner]


def test_more_than_a_request_has_time_for_are_refused(
    client: Client, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.admin.people.privacy.MOST_ERASED", 1)
    chosen = {"action": "erase_selected", "_selected_action": list(User.objects.values_list("pk", flat=True))}
    assert said(client.post(LIST, chosen)) == ["At most 1 people can be erased at once."]
    assert User.objects.count() == 2


def test_djangos_own_deletion_leads_to_the_page_that_erases(client: Client, person: User) -> None:
    for method in (client.get, client.post):
        response = method(page_of(person, "delete"), {"post": "yes"})
        assert response["Location"] == page_of(person)
    assert "delete_selected" not in client.get(LIST).content.decode()
    client.post(LIST, {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"})
    assert User.objects.filter(pk=person.pk).exists()
    assert client.get(reverse("admin:users_user_delete", args=("x",))).status_code == 403


@pytest.mark.parametrize(("form", "type"), [("json", "application/json"), ("text", "text/plain; charset=utf-8")])
def test_an_export_is_a_file_and_an_audit_entry(
    form: str, type: str, client: Client, owner: User, person: User
) -> None:
    assert client.get(page_of(person, "export_one")).status_code == 405
    response = client.post(page_of(person, "export_one"), {"format": form})
    assert response["Content-Type"] == type
    assert response["Content-Disposition"].startswith(f'attachment; filename="person-{person.pk}.')
    assert "no-store" in response["Cache-Control"]
    file = content(response)
    assert "my secret" in file and str(person.phone_number) in file
    assert form == "text" or json.loads(file)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor, entry.via) == ("exported", person.pk, owner, "admin")


def test_an_admin_and_who_only_chats_may_do_none_of_it(person: User) -> None:
    for staff in (UserFactory.create(name="Bob", role=Role.ADMIN), UserFactory.create(name="Dana")):
        client = Client()
        client.force_login(staff)
        refused = {403} if staff.role == Role.ADMIN else {302}
        asked = [
            client.get(page_of(person)),
            client.post(page_of(person, "export_one"), {"format": "json"}),
            client.post(ERASE, {"person": person.pk, "confirmation": f"erase person {person.pk}"}),
            client.get(page_of(person, "delete")),
            client.get(reverse("admin:users_auditentry_changelist")),
        ]
        assert {response.status_code for response in asked} == refused
        client.post(LIST, {"action": "erase_selected", "_selected_action": [person.pk]})
    assert page_of(person) not in client.get(page_of(person, "change")).content.decode()
    assert User.objects.filter(pk=person.pk).exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("ids", [[], ["x"], ["-1"], ["9" * 30], ["999999"]])
def test_nobody_is_erased_by_a_form_that_names_nobody(ids: list[str], client: Client, person: User) -> None:
    assert client.post(ERASE, {"person": ids}).status_code == 403
    assert client.get(ERASE).status_code == 405
    assert User.objects.count() == 2


def test_forms_from_elsewhere_are_refused(owner: User, person: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(ERASE, {"person": person.pk}).status_code == 403
    assert strict.post(page_of(person, "export_one"), {"format": "json"}).status_code == 403
    assert User.objects.filter(pk=person.pk).exists()


def test_the_audit_log_is_for_reading(client: Client, owner: User) -> None:
    entry = AuditEntry.objects.create(action="erased", subject=12, via="chat", at=timezone.now())
    log = reverse("admin:users_auditentry_changelist")
    assert "erased" in client.get(log).content.decode()
    page = reverse("admin:users_auditentry_change", args=(entry.pk,))
    assert client.get(page).status_code == 200
    assert client.post(page, {"subject": "13"}).status_code == 403
    assert client.post(reverse("admin:users_auditentry_delete", args=(entry.pk,)), {"post": "yes"}).status_code == 403
    assert client.get(f"{log}add/").status_code == 403
    client.post(log, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert AuditEntry.objects.get().subject == 12


def test_what_waits_to_be_sent_goes_too(client: Client, person: User) -> None:
    message = InboundMessage.objects.get()
    OutboundMessage.objects.create(bot=message.bot, address=message.address, turn_key=message.pk, part=1, text="soon")
    client.post(ERASE, {"person": person.pk, "confirmation": f"erase person {person.pk}"})
    assert not OutboundMessage.objects.exists()
