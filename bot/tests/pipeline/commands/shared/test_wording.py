"""How commands name people."""

from collections.abc import Callable

import pytest

from bot.models import AccessRequest
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BOB, whitelisted
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
