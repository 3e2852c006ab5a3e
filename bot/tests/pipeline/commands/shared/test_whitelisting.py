"""What commands do to the whitelist, by whom and for whom."""

from collections.abc import Callable

import pytest

from bot.models import AccessRequest
from bot.pipeline.commands.allow import allow_text
from bot.queue.snapshot import ActiveBot
from bot.tests.pipeline.commands.allowing import request
from bot.tests.support.factories import BOB, STRANGER, whitelisted
from users.models import User
from users.roles import Role
from users.tests.together import together

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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("waiting", [True, False])
def test_those_who_allow_the_same_number_at_once_make_one_person(owner: User, bot: ActiveBot, waiting: bool) -> None:
    if waiting:
        request(bot)
    answers = together(*[lambda: allow_text(owner, f"{BOB} Bob")] * 6)

    assert sorted(answers) == sorted([f"Bob ({BOB}) may write to me now."] + [f"Bob ({BOB}) is allowed already."] * 5)
    assert User.objects.filter(phone_number=BOB, is_whitelisted=True).count() == 1
    assert not AccessRequest.objects.exists()


def test_allowing_a_number_settles_its_requests(ask: Ask, bot: ActiveBot) -> None:
    request(bot, BOB)
    request(bot, STRANGER)
    ask(f"/allow {BOB}", OWNER)
    assert [row.address for row in AccessRequest.objects.all()] == [STRANGER]


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
