"""/help: the commands that a person may use."""

from collections.abc import Callable

import pytest

from bot.pipeline.commands.registry import COMMANDS
from bot.tests.support.factories import ALICE, whitelisted
from users.models import User
from users.roles import Role

OWNER = "+4915100000001"
ADMIN = "+4915100000002"
FOR_STAFF = {"allow", "deny", "users", "spend"}
Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def staff(turns_db: None) -> dict[str, User]:
    return {
        OWNER: whitelisted(OWNER, name="Olga", role=Role.OWNER),
        ADMIN: whitelisted(ADMIN, name="Adam", role=Role.ADMIN),
    }


@pytest.mark.parametrize(
    ("sender", "told_of_staffs"),
    [(OWNER, FOR_STAFF), (ADMIN, FOR_STAFF), (ALICE, set())],
    ids=["owner", "admin", "user"],
)
def test_help_names_what_the_person_may_use_and_how(
    ask: Ask, alice: User, sender: str, told_of_staffs: set[str]
) -> None:
    lines = ask("/help", sender).splitlines()[1:]

    named = {line.split()[0].removeprefix("/") for line in lines}
    assert named & FOR_STAFF == told_of_staffs
    assert {"help", "reset", "usage", "model", "whoami"} <= named
    assert "/model [NAME] – which model answers you, and the choice of another" in lines
    assert all(" – " in line for line in lines)


def test_help_lists_the_commands_in_an_order_of_their_own(ask: Ask, alice: User) -> None:
    lines = ask("/help", OWNER).splitlines()[1:]

    own = ["help", "reset", "usage", "model", "whoami", "privacy", "export", "forget"]
    assert [line.split()[0].removeprefix("/") for line in lines] == [*own, "allow", "deny", "users", "spend"]
    assert len({command.order for command in COMMANDS.values()}) == len(COMMANDS)
