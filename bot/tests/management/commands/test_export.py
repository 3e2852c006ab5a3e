"""manage.py export: everything that is held about somebody, into the terminal or a file that is only the operator's."""

import json
import os
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError

from bot.management.commands import export as command
from bot.models import AccessRequest
from bot.tests.management.commands.exporting import run
from bot.tests.support.factories import ALICE, STRANGER, BotFactory, InboundFactory, whitelisted
from users.models import AuditEntry, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> User:
    person = whitelisted(ALICE, name="Alice")
    User.objects.link_identity(person, "whatsapp", "DE.4815162342")
    return person


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_as_text_it_can_be_read(alice: User) -> None:
    assert "name: Alice" in run(ALICE, "--format", "text")


def test_a_stranger_who_only_wrote_is_exported(db: None) -> None:
    InboundFactory(address=STRANGER, bot=BotFactory.create(), state="done")
    held = json.loads(run(STRANGER))
    assert (held["person"], len(held["received"])) == ([], 1)
    AccessRequest.objects.create(bot=BotFactory.create(channel="whatsapp"), address="US.1349", profile_name="Sam")
    assert json.loads(run("whatsapp:US.1349"))["access_requests"][0]["profile_name"] == "Sam"
    assert list(AuditEntry.objects.values_list("subject", flat=True)) == [None, None]


def test_a_file_is_only_its_owners_whatever_the_umask(alice: User, tmp_path: Path) -> None:
    path = tmp_path / "alice.json"
    before = os.umask(0)
    try:
        assert run(ALICE, "--output", str(path)) == ""
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert json.loads(path.read_text(encoding="utf-8"))["person"][0]["name"] == "Alice"


def test_a_file_that_is_there_is_kept_without_force(alice: User, tmp_path: Path) -> None:
    path = tmp_path / "alice.json"
    path.write_text("x" * 100_000)
    path.chmod(0o644)
    with pytest.raises(CommandError, match="--force"):
        run(ALICE, "--output", str(path))
    assert path.read_text() == "x" * 100_000
    assert not AuditEntry.objects.exists()
    run(ALICE, "--output", str(path), "--force")
    assert json.loads(path.read_text())["person"]
    assert mode(path) == 0o600


def test_a_link_is_not_followed(alice: User, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("precious")
    link.symlink_to(target)
    with pytest.raises(CommandError):
        run(ALICE, "--output", str(link), "--force")
    assert target.read_text() == "precious"


def test_a_folder_that_is_not_there_is_an_error(alice: User, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        run(ALICE, "--output", str(tmp_path / "nowhere" / "alice.json"))


def test_nothing_half_is_left_behind(alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(held: object) -> object:
        yield "half"
        raise ZeroDivisionError

    monkeypatch.setitem(command.FORMATS, "json", failing)
    path = tmp_path / "alice.json"
    with pytest.raises(ZeroDivisionError):
        run(ALICE, "--output", str(path))
    assert not path.exists()
    assert not AuditEntry.objects.exists()
