"""Tombstones: which addresses were erased, known by a keyed hash of them alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from users.models import Tombstone
from users.models.tombstones import digest

pytestmark = pytest.mark.database

BSUID = "DE.13491208655302741918"


@pytest.mark.parametrize("other", ["+551187654321", "+5511987654321"])
def test_a_number_is_one_in_every_spelling_and_on_every_channel(other: str) -> None:
    assert digest("whatsapp", "+5511987654321") == digest("telegram", other)
    assert digest("whatsapp", "+5511987654321") != digest("whatsapp", "+5511987654322")


def test_any_other_address_is_its_channels(settings: Any) -> None:
    assert digest("whatsapp", BSUID) != digest("telegram", BSUID)
    before = digest("whatsapp", BSUID)
    settings.SECRET_KEY = "another key, with which nothing can be compared"
    assert digest("whatsapp", BSUID) != before
    assert BSUID not in before and len(before) == 64


@pytest.mark.django_db
def test_the_latest_time_counts_whichever_comes_first() -> None:
    now = timezone.now()
    pairs = [("whatsapp", BSUID), ("whatsapp", "+4915112345678")]
    Tombstone.objects.bury(pairs, now)
    Tombstone.objects.bury(pairs[:1], now - timedelta(days=1))
    Tombstone.objects.bury(pairs[1:], now + timedelta(days=1))
    assert Tombstone.objects.erased([*pairs, ("telegram", BSUID)]) == {
        pairs[0]: now,
        pairs[1]: now + timedelta(days=1),
    }
    assert Tombstone.objects.erased([]) == {}
