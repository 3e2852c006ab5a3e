"""Who may give addresses and numbers to people in the admin, what is refused, and who hears of it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import InboundMessage, OutboundMessage
from bot.queue import accept
from bot.queue.link_notices import LINKED
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, STRANGER, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from users.models import AuditEntry, Identity, Role, Tombstone, User
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = pytest.mark.django_db

NONE = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
# A number with two spellings.
BRAZIL, SHORTER = "+5531987654321", "+553187654321"


@pytest.fixture
def admin(client: Client) -> User:
    admin = bob(role=Role.ADMIN)
    client.force_login(admin)
    return admin


@pytest.fixture
def owner(client: Client) -> User:
    owner = alice()
    client.force_login(owner)
    return owner


def page(person: User) -> str:
    return reverse("admin:users_user_change", args=[person.pk])


def form(person: User, **changes: Any) -> dict[str, Any]:
    data = {"phone_number": person.phone_number or "", "name": person.name, "role": person.role}
    return {**data, "is_whitelisted": "on", **NONE, **changes}


def adding(channel: str, address: str) -> dict[str, str]:
    row = {"identities-0-channel": channel, "identities-0-address": address}
    return {"identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", **row}


def entries() -> list[tuple[Any, ...]]:
    found = AuditEntry.objects.order_by("pk")
    return [(one.action, one.subject, one.actor_id, one.via, one.details) for one in found]


def who(address: str, channel: str = "whatsapp") -> User | None:
    return User.objects.for_identity(channel, address)


@pytest.mark.parametrize("whose", ["their own", "somebody's"])
def test_an_admin_gives_no_address_to_anybody(client: Client, admin: User, whose: str) -> None:
    person = admin if whose == "their own" else charlie()
    client.post(page(person), form(person, **adding("whatsapp", STRANGER)))
    assert not Identity.objects.exists()
    assert who(STRANGER) is None


def test_an_admin_sees_addresses_and_neither_changes_nor_removes_them(client: Client, admin: User) -> None:
    person = charlie()
    known = User.objects.link_identity(person, "whatsapp", STRANGER)
    assert STRANGER in client.get(page(person)).content.decode()
    row = {"identities-0-id": known.pk, "identities-0-user": person.pk, "identities-0-channel": "whatsapp"}
    rows = {"identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "1", **row, "identities-0-address": BOB}
    client.post(page(person), form(person, **rows))
    client.post(page(person), form(person, **{**rows, "identities-0-DELETE": "on"}))
    assert list(Identity.objects.values_list("address", flat=True)) == [STRANGER]


@pytest.mark.parametrize("number", [STRANGER, ""])
@pytest.mark.parametrize("whose", ["their own", "somebody's", "of somebody who has none"])
def test_an_admin_changes_nobodys_number(client: Client, admin: User, whose: str, number: str) -> None:
    person = {"their own": lambda: admin, "somebody's": charlie}.get(whose, lambda: charlie(phone_number=None))()
    before = person.phone_number
    client.post(page(person), form(person, phone_number=number, name="Renamed"))
    person.refresh_from_db()
    assert (person.phone_number, person.name) == (before, "Renamed")


def test_an_admin_adds_somebody_new_with_a_number(client: Client, admin: User) -> None:
    client.post(reverse("admin:users_user_add"), {"phone_number": STRANGER, "name": "Dana", **NONE})
    assert who(STRANGER) == User.objects.get(name="Dana")


@pytest.mark.parametrize(
    ("theirs", "typed"), [(ALICE, ALICE), (ALICE, "+49 (0)151 12345678"), (BRAZIL, SHORTER), (SHORTER, BRAZIL)]
)
@pytest.mark.parametrize("role", [Role.OWNER, Role.USER])
def test_a_phone_number_of_somebody_is_nobody_elses_identity(
    client: Client, owner: User, theirs: str, typed: str, role: str
) -> None:
    holder, other = UserFactory.create(phone_number=theirs, role=role, name="Holder"), charlie()
    answer = client.post(page(other), form(other, **adding("whatsapp", typed)))
    assert "This address belongs to somebody already: Holder" in answer.content.decode()
    assert who(theirs) == holder
    assert not Identity.objects.exists()


@pytest.mark.parametrize("channel", ["whatsapp", "generic"])
def test_a_number_that_names_somebody_is_nobody_elses_identity_on_any_channel(
    client: Client, owner: User, channel: str
) -> None:
    other = charlie()
    User.objects.link_identity(bob(name="Holder"), "whatsapp", BRAZIL)
    answer = client.post(page(other), form(other, **adding(channel, SHORTER)))
    assert "This address belongs to somebody already: Holder" in answer.content.decode()
    assert Identity.objects.count() == 1


@pytest.mark.parametrize("typed", [BRAZIL, SHORTER])
@pytest.mark.parametrize("new", [True, False])
def test_a_number_that_names_somebody_is_nobody_elses_phone_number(
    client: Client, owner: User, typed: str, new: bool
) -> None:
    holder, other = bob(name="Holder"), charlie()
    User.objects.link_identity(holder, "whatsapp", BRAZIL)
    url = reverse("admin:users_user_add") if new else page(other)
    answer = client.post(url, form(other, phone_number=typed))
    assert "This is already an address of Holder" in answer.content.decode()
    assert who(BRAZIL) == holder
    assert not User.objects.filter(phone_number__in=(BRAZIL, SHORTER)).exists()


def test_every_change_of_an_owner_is_in_the_audit_log(client: Client, owner: User) -> None:
    person = charlie(phone_number=ALICE, is_whitelisted=True)
    client.post(page(person), form(person, phone_number=BOB))
    client.post(page(person), form(person, phone_number=BOB, **adding("whatsapp", "US.13491208655302741918")))
    known = Identity.objects.get()
    row = {"identities-0-id": known.pk, "identities-0-user": person.pk, "identities-0-channel": "whatsapp"}
    rows = {"identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "1", **row}
    client.post(page(person), form(person, phone_number=BOB, **rows, **{"identities-0-address": STRANGER}))
    last = {**rows, "identities-0-address": STRANGER, "identities-0-DELETE": "on"}
    client.post(page(person), form(person, phone_number=BOB, **last))
    by = (person.pk, owner.pk, "admin")
    assert entries() == [
        ("number", *by, {"from": "+49…78", "to": "+49…21"}),
        ("linked", *by, {"channel": "whatsapp", "to": "US.…18"}),
        ("unlinked", *by, {"channel": "whatsapp", "from": "US.…18"}),
        ("linked", *by, {"channel": "whatsapp", "to": "+1…23"}),
        ("unlinked", *by, {"channel": "whatsapp", "from": "+1…23"}),
    ]


@pytest.mark.usefixtures("turns_db")
@pytest.mark.parametrize("what", ["identity", "number"])
def test_the_person_is_told_in_the_chats_they_have(
    client: Client, owner: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, what: str
) -> None:
    person = charlie(phone_number=ALICE, is_whitelisted=True)
    accept.accept(bot, [event("m1", text="Hi", sent_at=timezone.now())])
    work_until(model=model)
    changes = adding("console", "700700") if what == "identity" else {"phone_number": STRANGER}
    client.post(page(person), form(person, **changes))
    work_until(model=model)
    assert [(one.address, one.text) for one in channel.sent[1:]] == [(ALICE, str(LINKED))]
    assert InboundMessage.objects.filter(kind="notice").count() == 1
    assert len(model.history) == 1


def given_up(*addresses: str) -> set[str]:
    pairs = [(channel, address) for channel in ("whatsapp", "console") for address in addresses]
    return {f"{channel} {address}" for channel, address in Tombstone.objects.given_up(pairs)}


def test_a_number_or_address_that_an_owner_takes_from_somebody_is_given_up_until_they_get_it_back(
    client: Client, owner: User
) -> None:
    person, own_id = charlie(phone_number=BRAZIL), "US.13491208655302741918"
    client.post(page(person), form(person, phone_number=SHORTER))
    assert given_up(BRAZIL, SHORTER) == set()  # the same number, spelled otherwise
    client.post(page(person), form(person, phone_number=BOB, **adding("whatsapp", own_id)))
    assert given_up(SHORTER, BOB, own_id) == {f"whatsapp {SHORTER}", f"console {SHORTER}"}
    client.post(page(person), form(person, phone_number=SHORTER))
    assert given_up(SHORTER, BOB) == {f"whatsapp {BOB}", f"console {BOB}"}
    known = Identity.objects.get()
    row = {"identities-0-id": known.pk, "identities-0-user": person.pk, "identities-0-channel": "whatsapp"}
    rows = {"identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "1", **row}
    other = form(person, phone_number=SHORTER, **rows, **{"identities-0-address": "US.77"})
    client.post(page(person), other)
    assert given_up(own_id, "US.77") == {f"whatsapp {own_id}"}
    client.post(page(person), {**other, "identities-0-DELETE": "on"})
    assert given_up(own_id, "US.77") == {f"whatsapp {own_id}", "whatsapp US.77"}
    client.post(page(person), form(person, phone_number=SHORTER, **adding("whatsapp", own_id)))
    assert given_up(own_id) == set()


@pytest.mark.usefixtures("turns_db")
def test_the_simulator_shows_who_has_a_number_nothing_of_who_had_it(
    client: Client, owner: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    person = charlie(phone_number=BOB, is_whitelisted=True)
    accept.accept(bot, [event("m1", address=BOB, text="Hi", sent_at=timezone.now())])
    work_until(model=model)
    shown = {"bot": bot.slug, "person": BOB}
    assert "Echo: Hi" in client.get("/simulator/updates/", shown).content.decode()
    story = f"/simulator/stories/{OutboundMessage.objects.get().pk}/"
    assert client.get(story).status_code == 200
    client.post(page(person), form(person, phone_number=STRANGER))
    assert client.get(story).status_code == 404
    for holder in (None, "Next"):
        if holder:
            UserFactory.create(phone_number=BOB, name=holder)
        answer = client.get("/simulator/updates/", shown)
        assert "Echo: Hi" not in answer.content.decode()
        assert not holder or answer.status_code == 200


def test_a_file_gives_nobody_a_number_that_names_somebody_else(client: Client, admin: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    User.objects.link_identity(alice(), "whatsapp", BRAZIL)
    people = SimpleUploadedFile("people.csv", f"phone_number,name\n{SHORTER},Mallory\n".encode())
    answer = client.post(reverse("admin:users_user_import"), {"file": people})
    assert "this is an address of somebody already" in answer.content.decode()
    assert not answer.context.get("kept")
    assert not User.objects.filter(name="Mallory").exists()
