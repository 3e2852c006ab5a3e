"""Each model and field is told in an export or left out for a reason."""

import json
import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField
from django.utils import timezone

from bot.privacy.export.document import as_json, export
from bot.privacy.export.fields import Part
from bot.privacy.export.parts import NOT_EXPORTED, PARTS
from bot.privacy.subjects import subject_of
from bot.tests.privacy.export.filling import fill
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, whitelisted
from users.models import Tombstone, User

pytestmark = [pytest.mark.database, pytest.mark.django_db]

SECRETS = ("password", "digest", "session_key", "session_data")


def with_inner() -> Iterator[Part]:
    for part in PARTS:
        yield part
        if part.inner:
            yield part.inner


# --- which models and fields ---


def test_every_model_is_exported_or_holds_nothing_of_anybody() -> None:
    exported = {part.model._meta.label for part in with_inner()}
    models = {model._meta.label for model in apps.get_models()}
    assert exported | NOT_EXPORTED.keys() == models
    assert not exported & NOT_EXPORTED.keys()


def test_what_is_not_exported_names_nobody() -> None:
    for label in NOT_EXPORTED:
        options = apps.get_model(label)._meta
        for field in (*options.concrete_fields, *options.many_to_many):
            points_at_people = isinstance(field, ForeignKey | ManyToManyField) and field.related_model is User
            assert not points_at_people, f"{label}.{field.name} is about a person"
            named = re.fullmatch(r"(\w+_)?(address|phone|phone_number|person|user|user_id)", field.name)
            assert not named, f"{label}.{field.name} may name a person"


def test_every_field_is_told_or_left_out_for_a_reason() -> None:
    for model in {part.model for part in with_inner()}:
        parts = [part for part in with_inner() if part.model is model]
        fields = {field.name for field in (*model._meta.concrete_fields, *model._meta.many_to_many)}
        told = {part.computed.get(one.field, one.field) for part in parts for one in part.told}
        left_out = {name: why for part in parts for name, why in part.left_out.items()}
        assert told | left_out.keys() == fields, f"{model._meta.label}: {fields ^ (told | left_out.keys())}"
        assert all(left_out.values())


def test_no_secret_is_told() -> None:
    told = {one.field for part in with_inner() for one in part.told}
    assert not told & set(SECRETS)
    assert not told & {"credentials", "object_repr"}


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


# --- how it is written ---


def test_json_is_json_with_times_in_their_zone_money_in_dollars_and_letters_as_they_are(alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(name='Ünal "Ü" ALICEMARK-name \u2028 👋')
    held = export(subject_of(alice))
    said = as_json(held)
    assert json.loads(said) == held
    assert 'Ünal \\"Ü\\"' in said
    assert said.startswith('{\n  "made_at": "')
    assert said.endswith("}\n")
    assert held["usage"][0]["cost_usd"] == "0.000123"
    assert held["person"][0]["daily_budget_usd"] == "1.250000"
    assert held["person"][0]["last_login"] == "2026-11-25T12:30:15+00:00"
    times = re.findall(r'"\w+(?:_at|_login|until|\bat)": "([^"]+)"', said)
    assert len(times) > 20
    assert all(datetime.fromisoformat(one).tzinfo for one in times)
