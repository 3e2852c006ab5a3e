"""/deny: staff decide in the chat who may write no more."""

from collections.abc import Callable

import pytest

from bot.tests.support.factories import ALICE, BOB, whitelisted
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = pytest.mark.database

OWNER, OTHER_OWNER = "+4915100000001", "+4915100000003"
ADMIN, OTHER_ADMIN = "+4915100000002", "+4915100000004"
Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def owner(turns_db: None) -> User:
    return whitelisted(OWNER, name="Olga", role=Role.OWNER)


@pytest.fixture
def admin() -> User:
    return whitelisted(ADMIN, name="Adam", role=Role.ADMIN)


@pytest.mark.parametrize("sender", [OWNER, ADMIN])
def test_nobody_denies_themselves(ask: Ask, admin: User, sender: str) -> None:
    assert ask(f"/deny {sender}", sender) == "You can't deny yourself: nobody would answer you any more."
    assert User.objects.get(phone_number=sender).is_whitelisted


def test_denying_nobody_or_who_is_denied_says_so(ask: Ask) -> None:
    UserFactory.create(phone_number=ALICE, name="Alice", is_whitelisted=False)
    assert ask("/deny", OWNER).startswith("Whom? Write /deny and their number")
    assert ask(f"/deny {BOB}", OWNER) == f"I know nobody with the number {BOB}."
    assert ask(f"/deny {ALICE}", OWNER) == f"Alice ({ALICE}) was not allowed to write to me."
