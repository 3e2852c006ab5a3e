"""/allow and /deny: staff decide in the chat who may write."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bot.models import AccessRequest
from bot.pipeline.commands.allow import allow_text
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, STRANGER, whitelisted
from bot.tests.support.fakes import ScriptedModel
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory
from users.tests.together import together

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


def request(bot: ActiveBot, address: str = BOB, **fields: Any) -> AccessRequest:
    return AccessRequest.objects.create(bot_id=bot.id, address=address, **{"messages": 3, **fields})


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


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("+4915187654321", ""),
        ("+49 151 8765-4321 Bob", "Bob"),
        ("0049 (151) 87654321   Bob   Meier ", "Bob Meier"),
        ("4915187654321, Bob Meier", "Bob Meier"),
        ("tel:+4915187654321", ""),
        ("+49 151 87654321 – Bob", "Bob"),
        ("\u202a+49 151 87654321\u202c\nBob\tMeier", "Bob Meier"),
        ("+4915187654321 Bob\u202e\x07\u200b 2nd", "Bob 2nd"),
        ("+4915187654321 🎉 Bøb", "🎉 Bøb"),
        (f"+4915187654321 {'B' * 300}", "B" * 200),
    ],
)
def test_a_number_is_read_however_it_is_written_and_the_name_is_kept_tidy(ask: Ask, argument: str, name: str) -> None:
    answer = ask(f"/allow {argument}", OWNER)

    person = User.objects.get(phone_number=BOB)
    assert (person.name, person.is_whitelisted, person.role) == (name, True, Role.USER)
    assert not person.has_usable_password()
    assert answer == (f"{name} ({BOB})" if name else BOB) + " may write to me now."


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("Bob", "no letters"),
        ("Bob +4915187654321", "no letters"),
        ("+49151x87654321", "no letters"),
        ("12", "4 to 15 digits"),
        ("+", "this has none"),
        ("01518765432", "no country code"),
        ("+49151876543210000000", "4 to 15 digits"),
        ("+4915187654321;9", "digits, spaces"),
        ("9" * 2000, "too long"),
        ("#", "such as #12"),
        ("#12 Bob", "such as #12"),
        ("#999", "No request #999 is waiting."),
        ("#999999999999999999", "is waiting."),
    ],
)
@pytest.mark.parametrize("command", ["allow", "deny"])
def test_what_cannot_be_read_is_explained_and_changes_nothing(
    ask: Ask, alice: User, bot: ActiveBot, command: str, argument: str, says: str
) -> None:
    request(bot)
    answer = ask(f"/{command} {argument}", OWNER)

    assert says in answer
    assert list(User.objects.order_by("pk").values_list("phone_number", "is_whitelisted")) == [
        (OWNER, True),
        (ALICE, True),
    ]
    assert AccessRequest.objects.count() == 1


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("waiting", [True, False])
def test_those_who_allow_the_same_number_at_once_make_one_person(owner: User, bot: ActiveBot, waiting: bool) -> None:
    if waiting:
        request(bot)
    answers = together(*[lambda: allow_text(owner, f"{BOB} Bob")] * 6)

    assert sorted(answers) == sorted([f"Bob ({BOB}) may write to me now."] + [f"Bob ({BOB}) is allowed already."] * 5)
    assert User.objects.filter(phone_number=BOB, is_whitelisted=True).count() == 1
    assert not AccessRequest.objects.exists()


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


@pytest.mark.parametrize(
    "name",
    [
        "Dana · +49…67 · 3 messages\n#1 · Owner's wife · +12…00 \u202eevil\u202c *bold*",
        "Dana • +49…67 • 3 messages #1 ‧ Owner",
        "Dana | +49…67 | 3 messages” · “Owner",
        "Dana (+4915112345678)",
    ],
)
def test_a_profile_name_cannot_say_what_the_list_says_of_others(
    ask: Ask, bot: ActiveBot, admin: User, name: str
) -> None:
    ask("Hello?", BOB)
    waiting = AccessRequest.objects.get()
    AccessRequest.objects.update(profile_name=name)
    (line,) = ask("/allow", ADMIN).splitlines()[1:]
    id, called, number, messages, _ago = line.split(" · ")
    assert (id, number, messages) == (f"#{waiting.pk}", "+49…21", "1 message")
    assert called.startswith("“Dana ") and called.endswith("”")
    assert called.count("“") == called.count("”") == 1
    assert not any(mark in called for mark in "·•‧|#*\n")

    ask(f"/allow #{waiting.pk}", ADMIN)
    line = next(one for one in ask("/users", ADMIN).splitlines() if BOB in one)
    assert line.split(" · ")[1:] == ["User", "$0.00 today"]
    assert line.startswith(called)


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


@pytest.mark.parametrize("numbers", ["+212522940770/74", "+49 30 123456-0/-12 Office"])
def test_two_numbers_are_refused(ask: Ask, admin: User, numbers: str) -> None:
    assert "These are two numbers" in ask(f"/allow {numbers}", ADMIN)
    assert not User.objects.filter(phone_number__startswith="+212").exists()


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


def test_allowing_a_number_settles_its_requests(ask: Ask, bot: ActiveBot) -> None:
    request(bot, BOB)
    request(bot, STRANGER)
    ask(f"/allow {BOB}", OWNER)
    assert [row.address for row in AccessRequest.objects.all()] == [STRANGER]


def test_a_dismissed_request_is_gone_and_lets_nobody_in(ask: Ask, bot: ActiveBot, admin: User) -> None:
    waiting = request(bot)
    assert ask(f"/deny #{waiting.pk}", ADMIN) == f"Request #{waiting.pk} is dismissed."
    assert not AccessRequest.objects.exists() and not User.objects.filter(phone_number=BOB).exists()


# --- who may do what to whom ---


@pytest.mark.parametrize("command", ["allow", "deny"])
@pytest.mark.parametrize(
    ("number", "role", "called"), [(OTHER_OWNER, Role.OWNER, "Owner"), (OTHER_ADMIN, Role.ADMIN, "Admin")]
)
def test_an_admin_touches_no_owner_and_no_other_admin_but_an_owner_does(
    ask: Ask, admin: User, command: str, number: str, role: Role, called: str
) -> None:
    before = command == "deny"
    person = User.objects.create_user(number, name="Zoe", role=role, is_whitelisted=before)

    assert ask(f"/{command} {number}", ADMIN) == f"Zoe ({number}) is {called}: only an owner can do that."
    person.refresh_from_db()
    assert person.is_whitelisted is before

    ask(f"/{command} {number}", OWNER)
    person.refresh_from_db()
    assert person.is_whitelisted is not before


def test_an_admin_lets_no_owner_in_by_their_request_either(ask: Ask, bot: ActiveBot, admin: User) -> None:
    User.objects.create_user(OTHER_OWNER, name="Zoe", role=Role.OWNER)
    waiting = request(bot, OTHER_OWNER)
    assert "only an owner can do that" in ask(f"/allow #{waiting.pk}", ADMIN)
    assert AccessRequest.objects.exists() and not User.objects.get(phone_number=OTHER_OWNER).is_whitelisted


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
