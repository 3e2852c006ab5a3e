"""Invites in the admin: made, shared as links, revoked, never changed."""

from datetime import timedelta
from typing import Any

import pytest
import segno
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.tests.admin.people.inviting import code_on, errors, form, page_of
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from users.invites import Outcome, create_invite, redeem
from users.models import Invite, User
from users.roles import Role
from users.tests.factories import UserFactory, alice, charlie

pytestmark = pytest.mark.django_db

LIST = reverse("admin:users_invite_changelist")
ADD = reverse("admin:users_invite_add")


@pytest.fixture
def admin(client: Client) -> User:
    staff = UserFactory.create(name="Bob", role=Role.ADMIN)
    client.force_login(staff)
    return staff


def test_an_admin_makes_an_invite_and_sees_its_code_and_links(client: Client, admin: User) -> None:
    WhatsAppBotFactory.create(name="Shop", contact="+4930123456")
    WhatsAppBotFactory.create(name="Off", contact="+4930999999", is_active=False)
    BotFactory.create(name="Console", contact="anything")

    response = client.post(ADD, form())

    invite = Invite.objects.get()
    assert (invite.created_by, invite.person, invite.note, invite.max_uses) == (admin, None, "front desk", 1)
    page, code = response.content.decode(), code_on(response)
    assert "no-store" in response["Cache-Control"]
    link = f"https://wa.me/4930123456?text=%2Fjoin%20{code}"
    assert "<h2>Shop</h2>" in page and f">{link}</code>" in page and f'data-copy="{link}"' in page
    assert f'href="{link}"' not in page, "who follows it has the code in their history"
    assert f'aria-label="QR code of the link for Shop">{segno.make(link).svg_inline(border=4, omitsize=True)}' in page
    assert "4930999999" not in page
    assert f"<code>/join {code}</code>" in page
    assert redeem(code, "whatsapp", "+4930555555", None, "").outcome is Outcome.JOINED


def test_a_week_is_proposed(client: Client, admin: User) -> None:
    initial = client.get(ADD).context["adminform"].form["expires_at"].value()
    assert timedelta(days=6) < initial - timezone.now() <= timedelta(days=7)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("max_uses", {"max_uses": "0"}),
        ("max_uses", {"max_uses": "many"}),
        ("expires_at", {"expires_at_0": "2020-01-01"}),
        ("expires_at", {"expires_at_0": ""}),
        ("person", {"person": "999999"}),
    ],
)
def test_what_was_wrong_is_said_and_nothing_is_made(
    client: Client, admin: User, field: str, changes: dict[str, str]
) -> None:
    assert field in errors(client.post(ADD, form(**changes)))
    assert not Invite.objects.exists()


def test_an_admin_invites_a_person_but_nobody_who_may_sign_in(client: Client, admin: User) -> None:
    assert "person" in errors(client.post(ADD, form(person=str(alice().pk))))
    assert not Invite.objects.exists()
    person = charlie(phone_number=None)
    client.post(ADD, form(person=str(person.pk)))
    assert Invite.objects.get().person == person


def test_an_invite_is_never_changed(client: Client, admin: User) -> None:
    invite = create_invite()
    client.post(page_of(invite), form(max_uses="1000", note="other"))
    invite.refresh_from_db()
    assert (invite.max_uses, invite.note) == (1, "")


def test_the_list_shows_person_uses_and_state_and_revokes(client: Client, admin: User) -> None:
    invite, ended = create_invite(person=charlie(), max_uses=3), create_invite()
    Invite.objects.filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(days=1))
    page = client.get(LIST).content.decode()
    assert all(text in page for text in (f"Invite {invite.pk}", "Charlie", "0 / 3", "open", "expired"))

    response = client.post(LIST, {"action": "revoke", "_selected_action": [invite.pk, ended.pk]})

    assert [str(message) for message in get_messages(response.wsgi_request)] == ["1 invite was revoked."]
    invite.refresh_from_db()
    assert invite.revoked_at is not None
    assert "New code" not in client.get(page_of(invite)).content.decode()


def test_who_only_chats_sees_no_invites(client: Client) -> None:
    client.force_login(UserFactory.create(is_staff=True))
    create_invite()
    assert client.get(LIST).status_code == 403
    assert client.post(ADD, form()).status_code == 403
    assert Invite.objects.count() == 1


def test_invites_are_filtered_by_their_state(client: Client, admin: User) -> None:
    now = timezone.now()
    made = {name: create_invite(note=name) for name in ("open", "used up", "expired", "revoked", "used and revoked")}
    past = {"expires_at": now - timedelta(hours=1)}
    for name, changes in (
        ("used up", {"uses": 1, **past}),
        ("expired", past),
        ("revoked", {"revoked_at": now}),
        ("used and revoked", {"uses": 1, "revoked_at": now, **past}),
    ):
        Invite.objects.filter(pk=made[name].pk).update(**changes)

    def found(state: str) -> list[str]:
        return [invite.note for invite in client.get(LIST, {"state": state}).context["cl"].result_list]

    assert (found("open"), found("used up"), found("expired")) == (["open"], ["used up"], ["expired"])
    assert found("revoked") == ["used and revoked", "revoked"]
    assert len(found("")) == 5
    for invite in client.get(LIST).context["cl"].result_list:
        assert invite.note in found(invite.state.value), "the filter says what the list shows"


def test_the_list_costs_the_same_for_many_invites(client: Client, admin: User, django_assert_num_queries: Any) -> None:
    for _number in range(30):
        create_invite(person=charlie())
    with django_assert_num_queries(4):  # session, who asks, the count, the page
        client.get(LIST)
