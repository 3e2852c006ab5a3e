"""/allow and /deny: staff decide in the chat who may write."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from bot.models import AccessRequest
from bot.queue.snapshot import ActiveBot
from bot.tests.pipeline.commands.allowing import request
from bot.tests.support.factories import ALICE, BOB, STRANGER, whitelisted
from bot.tests.support.fakes import ScriptedModel
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.promise("access"), pytest.mark.database]

OWNER, OTHER_OWNER = "+4915100000001", "+4915100000003"
ADMIN, OTHER_ADMIN = "+4915100000002", "+4915100000004"
BSUID = "US.13491208655302741918"
Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def owner(turns_db: None) -> User:
    return whitelisted(OWNER, name="Olga", role=Role.OWNER)


@pytest.fixture
def admin() -> User:
    return whitelisted(ADMIN, name="Adam", role=Role.ADMIN)


# --- allow ---


def test_a_stranger_who_is_allowed_is_answered_at_the_next_message_and_one_who_is_denied_is_not(
    ask: Ask, admin: User, model: ScriptedModel
) -> None:
    assert "Please ask the owner for access" in ask("Hi", BOB)
    assert ask(f"/allow {BOB} Bob Meier", ADMIN) == f"Bob Meier ({BOB}) may write to me now."
    assert ask("Hi", BOB) == "Echo: Hi"
    assert ask(f"/deny {BOB}", ADMIN) == f"Bob Meier ({BOB}) may not write to me any more."
    ask("And now?", BOB)
    assert len(model.history) == 1


def test_a_number_that_names_somebody_already_makes_nobody_new(ask: Ask, admin: User, owner: User) -> None:
    User.objects.link_identity(owner, "whatsapp", BOB)
    assert ask(f"/allow {BOB} Mallory", ADMIN) == f"{BOB} is an address of Olga ({OWNER}) already."
    assert User.objects.for_identity("whatsapp", BOB) == owner
    assert not User.objects.filter(phone_number=BOB).exists()


def test_a_number_that_cannot_exist_is_allowed_with_a_warning(ask: Ask) -> None:
    answer = ask("/allow +1234567890", OWNER)
    assert answer.startswith("+1234567890 may write to me now. But this does not look like a number that exists.")


def test_who_is_allowed_already_keeps_everything(ask: Ask, alice: User) -> None:
    assert ask(f"/allow {ALICE} Somebody Else", OWNER) == f"Alice ({ALICE}) is allowed already."
    alice.refresh_from_db()
    assert alice.name == "Alice"


def test_who_was_denied_is_allowed_again_as_the_same_person(ask: Ask, alice: User) -> None:
    ask(f"/deny {ALICE}", OWNER)
    assert ask(f"/allow {ALICE}", OWNER) == f"Alice ({ALICE}) may write to me now."
    assert User.objects.get(phone_number=ALICE).pk == alice.pk


def test_a_number_in_another_spelling_of_its_country_is_the_same_person(ask: Ask) -> None:
    maria = UserFactory.create(phone_number="+5511987654321", name="Maria", is_whitelisted=False)
    assert ask("/allow +55 11 8765-4321", OWNER) == "Maria (+5511987654321) may write to me now."
    maria.refresh_from_db()
    assert maria.is_whitelisted and User.objects.count() == 2


# --- requests ---


def test_who_wrote_without_access_is_listed_masked_and_let_in_by_the_requests_id(
    ask: Ask, bot: ActiveBot, admin: User
) -> None:
    ask("Hello?", BOB)
    waiting = AccessRequest.objects.get()
    AccessRequest.objects.update(profile_name="Bob\n#1 · Fake\u202e", last_seen_at=timezone.now() - timedelta(hours=2))

    head, line = ask("/allow", ADMIN).splitlines()
    assert "/allow #ID" in head and "/deny #ID" in head
    assert line.replace("\xa0", " ") == f"#{waiting.pk} · “Bob 1 Fake” · +49…21 · 1 message · 2 hours ago"

    assert ask(f"/allow #{waiting.pk}", ADMIN) == f"“Bob 1 Fake” ({BOB}) may write to me now."
    assert ask("Hello?", BOB) == "Echo: Hello?"
    assert ask(f"/allow #{waiting.pk}", ADMIN).startswith(f"No request #{waiting.pk} is waiting.")
    assert ask("/allow", ADMIN).startswith("Nobody is waiting. To let somebody in:")


def test_somebody_without_a_number_is_let_in_by_their_address(ask: Ask, bot: ActiveBot) -> None:
    ask("Hello?", BSUID)
    waiting = AccessRequest.objects.get()
    assert "Console (simulator and terminal) · 1 message" in ask("/allow", OWNER)
    assert BSUID not in ask("/allow", OWNER)

    assert "may write to me now." in ask(f"/allow # {waiting.pk}", OWNER)
    assert ask("Hello?", BSUID) == "Echo: Hello?"
    person = User.objects.get(phone_number=None)
    assert ask(f"/users person {person.pk}", OWNER).splitlines()[1].startswith("Nobody's name")
    assert f"person {person.pk} · User" in ask("/users", OWNER)


def test_somebody_known_who_asks_is_let_in_as_themselves(ask: Ask, bot: ActiveBot) -> None:
    bob = UserFactory.create(name="Bob", phone_number=None, is_whitelisted=False)
    User.objects.link_identity(bob, "console", BSUID)
    waiting = request(bot, BSUID, profile_name="Somebody")

    assert ask(f"/allow #{waiting.pk}", OWNER) == "Bob may write to me now."
    bob.refresh_from_db()
    assert bob.is_whitelisted and not AccessRequest.objects.exists()


def test_ten_requests_are_listed_the_latest_first_without_those_who_may_write_by_now(
    ask: Ask, alice: User, bot: ActiveBot
) -> None:
    now = timezone.now()
    for number in range(12):
        request(
            bot, f"+49151000010{number:02}", profile_name=f"P{number}", last_seen_at=now - timedelta(minutes=number)
        )
    request(bot, ALICE, profile_name="Alice", last_seen_at=now)

    lines = ask("/allow", OWNER).splitlines()[1:]
    assert [line.split(" · ")[1] for line in lines[:-1]] == [f"P{number}" for number in range(10)]
    assert lines[-1] == "… and more."


def test_a_dismissed_request_is_gone_and_lets_nobody_in(ask: Ask, bot: ActiveBot, admin: User) -> None:
    waiting = request(bot)
    assert ask(f"/deny #{waiting.pk}", ADMIN) == f"Request #{waiting.pk} is dismissed."
    assert not AccessRequest.objects.exists() and not User.objects.filter(phone_number=BOB).exists()


def test_what_staff_do_is_logged_with_ids_and_without_numbers(
    ask: Ask, owner: User, bot: ActiveBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    actions = {"person_allowed", "person_denied", "access_request_dismissed"}
    waiting = request(bot, STRANGER)
    for text in (
        f"/allow {BOB} Bob",
        f"/allow {BOB}",
        f"/deny {BOB}",
        f"/deny {BOB}",
        f"/deny #{waiting.pk}",
        "/users",
    ):
        ask(text, OWNER)

    bob = User.objects.get(phone_number=BOB)
    lines = [record for record in caplog.records if record.message in actions]
    assert [(line.message, vars(line)["staff"], vars(line).get("person")) for line in lines] == [
        ("person_allowed", owner.pk, bob.pk),
        ("person_denied", owner.pk, bob.pk),
        ("access_request_dismissed", owner.pk, None),
    ]
    said = " ".join(str(vars(line)) for line in caplog.records)
    assert BOB not in said and STRANGER not in said and "Bob" not in said
