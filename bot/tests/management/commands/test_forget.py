"""manage.py forget: erase whoever is named, asked first."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bot.models import InboundMessage
from bot.tests.support.factories import ALICE, STRANGER, BotFactory, InboundFactory, whitelisted
from users.models import Tombstone, User

pytestmark = pytest.mark.database

ID = "DE.13491208655302741918"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("forget", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["0151 12345678", "+49 (151) 1234-5678", f"whatsapp:{ID}", "--id"])
def test_the_command_erases_whoever_is_named(who: str, settings: Any) -> None:
    settings.PHONE_DEFAULT_REGION = "DE"
    alice = whitelisted(name="Alice")
    User.objects.link_identity(alice, "whatsapp", ID)
    said = run(*(["--id", str(alice.pk)] if who == "--id" else [who]), "--yes")
    assert f"Held about person #{alice.pk}, Alice (+49…78):\n  person: 1\n  addresses: 1" in said
    assert "Erased: 2 rows are gone or emptied." in said
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_dry_run_and_a_no_erase_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whitelisted()
    bot = BotFactory.create()
    InboundFactory.create(bot=bot, state="done")
    assert "messages in the inbox: 1" in run(ALICE, "--dry-run")
    for answer in ("no", "", "Y"):
        monkeypatch.setattr("builtins.input", lambda answer=answer: answer)
        with pytest.raises(CommandError, match=r"Nothing was erased\. Answer yes, or give --yes\."):
            run(ALICE)
    assert (User.objects.count(), InboundMessage.objects.count(), Tombstone.objects.count()) == (1, 1, 0)
    monkeypatch.setattr("builtins.input", lambda: " YES ")
    run(ALICE)
    assert (User.objects.count(), InboundMessage.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_no_terminal_to_ask_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    whitelisted()

    def nobody() -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CommandError, match="Nothing was erased"):
        run(ALICE)
    assert User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("+49abc", "A phone number has no letters"),
        (STRANGER, "Nothing is held about this number or address"),
        ("--id=999", "There is no person 999."),
        ("whatsapp:nobody", "Nothing is held about this number or address"),
    ],
)
def test_who_is_not_there_is_an_error(who: str, error: str) -> None:
    with pytest.raises(CommandError, match=re.escape(error)):
        run(who, "--yes")


@pytest.mark.django_db
def test_the_command_keeps_the_last_owner() -> None:
    User.objects.create_superuser(ALICE, "a password")
    with pytest.raises(CommandError, match="This is the last owner"):
        run(ALICE, "--yes")
    assert User.objects.exists()
