"""Commands are told whom they are about by number, address or id."""

import json

import pytest
from django.core.management import CommandError

from bot.tests.management.commands.exporting import run
from bot.tests.support.factories import ALICE, whitelisted
from users.models import AuditEntry, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> User:
    person = whitelisted(ALICE, name="Alice")
    User.objects.link_identity(person, "whatsapp", "DE.4815162342")
    return person


@pytest.mark.parametrize("named", [ALICE, "+49 151 123-45678", "004915112345678", "whatsapp:DE.4815162342"])
def test_a_person_is_found_by_number_in_any_spelling_and_by_address(alice: User, named: str) -> None:
    held = json.loads(run(named))
    assert held["person"][0]["name"] == "Alice"
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.subject, entry.actor, entry.via, entry.details) == (
        "exported",
        alice.pk,
        None,
        "command",
        {},
    )


def test_a_person_is_found_by_id(alice: User) -> None:
    assert json.loads(run("--id", str(alice.pk)))["person"][0]["name"] == "Alice"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["+4915199999999"], "Nothing is held"),
        (["whatsapp:US.NOBODY"], "Nothing is held"),
        (["telegram:1234"], "channel:address"),
        (["nonsense"], "channel:address"),
        (["--id", "99999999"], "no person 99999999"),
        ([], "Say whom"),
        ([ALICE, "--id", "1"], "Say whom"),
    ],
)
def test_what_means_nobody_is_an_error_that_says_so(alice: User, arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem) as caught:
        run(*arguments)
    assert caught.value.returncode == 1
    assert not AuditEntry.objects.exists()
