"""Numbers inside what staff type."""

from collections.abc import Callable

import pytest

from bot.models import AccessRequest
from bot.queue.snapshot import ActiveBot
from bot.tests.pipeline.commands.allowing import request
from bot.tests.support.factories import ALICE, BOB, whitelisted
from users.models import User
from users.roles import Role

pytestmark = [pytest.mark.database]

OWNER, OTHER_OWNER = "+4915100000001", "+4915100000003"
ADMIN, OTHER_ADMIN = "+4915100000002", "+4915100000004"
Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def owner(turns_db: None) -> User:
    return whitelisted(OWNER, name="Olga", role=Role.OWNER)


@pytest.fixture
def admin() -> User:
    return whitelisted(ADMIN, name="Adam", role=Role.ADMIN)


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


@pytest.mark.parametrize("numbers", ["+212522940770/74", "+49 30 123456-0/-12 Office"])
def test_two_numbers_are_refused(ask: Ask, admin: User, numbers: str) -> None:
    assert "These are two numbers" in ask(f"/allow {numbers}", ADMIN)
    assert not User.objects.filter(phone_number__startswith="+212").exists()
