"""What was written, also by who was never let in."""

import pytest
from django.utils import timezone

from bot.models import AccessRequest, Bot
from bot.privacy.export.document import as_json, as_text, export
from bot.privacy.export.parts import PARTS
from bot.privacy.subjects import subject_of_address
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


def test_a_stranger_has_what_their_address_left_and_no_person(alice: User, bob: User) -> None:
    AccessRequest.objects.create(bot=Bot.objects.get(slug="shop"), address=STRANGER, profile_name="Sam")
    held = export(subject_of_address("console", STRANGER))
    assert {part.name for part in PARTS if held[part.name]} == {"access_requests"}
    assert held["access_requests"][0]["profile_name"] == "Sam"
    assert "MARK" not in as_json(held) + as_text(held)
