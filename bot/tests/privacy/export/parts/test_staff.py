"""Staff are called staff in what people are told."""

import pytest
from django.utils import timezone

from bot.privacy.export.document import as_json, as_text, export
from bot.privacy.subjects import subject_of
from bot.tests.privacy.export.filling import fill
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, whitelisted
from users.models import Tombstone, User

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def olga(db: None) -> User:
    return whitelisted("+12025550777", name="Olga Owner", role="owner")


@pytest.fixture
def alice(olga: User) -> User:
    return whitelisted(ALICE, name="ALICEMARK-name")


@pytest.fixture
def bob(alice: User, olga: User) -> User:
    bob = whitelisted(BOB, name="BOBMARK-name")
    bots = [
        BotFactory(slug="shop", credentials={"access_token": "SECRET-token"}, system_prompt="SECRET-prompt"),
        BotFactory(slug="help", channel="whatsapp"),
    ]
    fill(alice, "ALICEMARK", bots, olga)
    fill(bob, "BOBMARK", bots, olga)
    Tombstone.objects.bury([("console", STRANGER)], timezone.now())
    return bob


def test_staff_are_called_staff_and_oneself_oneself(alice: User, bob: User, olga: User) -> None:
    held = export(subject_of(alice))
    assert [row["by"] for row in held["audit_log"]] == ["a member of staff", None]
    assert [(row["by"], row["about_you"], row["details"] != "") for row in held["admin_history"]] == [
        ("a member of staff", True, True),
        ("you", False, False),
    ]
    assert held["invites_for_you"][0]["created_by"] == "a member of staff"
    of_olga = export(subject_of(olga))
    assert {(row["action"], row["by"], row["about_you"]) for row in of_olga["audit_log"]} == {("read", "you", False)}
    assert "ALICEMARK" not in as_json(of_olga)
    assert "BOBMARK" not in as_text(of_olga)
