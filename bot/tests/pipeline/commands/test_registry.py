"""Every chat command has a permission and a help, and who is told of which."""

from collections.abc import Callable

import pytest

from bot.pipeline.commands.registry import COMMANDS
from bot.tests.support.factories import whitelisted
from users.models import User
from users.permissions import Permission
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


def test_every_command_has_its_help_and_a_permission_or_none() -> None:
    assert {"help", "reset", "usage", "model", "whoami", *FOR_STAFF} <= set(COMMANDS)
    for name, command in COMMANDS.items():
        assert str(command.help).strip(), name
        assert command.permission is None or command.permission in Permission, name


@pytest.mark.parametrize(("typed", "meant"), [("/alow", "allow"), ("/userz", "users"), ("/spent", "spend")])
def test_only_who_may_use_a_command_is_told_that_they_probably_meant_it(
    ask: Ask, alice: User, typed: str, meant: str
) -> None:
    assert ask(typed, OWNER) == f"I don't know {typed}. Did you mean /{meant}? /help lists all I know."
    assert meant not in ask(typed).replace(typed, "")
