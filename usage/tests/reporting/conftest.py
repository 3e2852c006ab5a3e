"""Fixtures of the report's tests."""

import pytest

from usage.tests.usages import call
from users.models import User
from users.tests.factories import bob, charlie


@pytest.fixture
def people(at_noon: None) -> tuple[User, User]:
    """Bob and Charlie, and what they, and somebody who is gone, have used."""
    anna, ben = bob(), charlie()
    call(anna, 0, 100)
    call(anna, 0, 200, bot="desk", model="large")
    call(ben, 1, 1_000)
    call(ben, 5, 2_000, model="large")
    call(ben, 5, None, model="house")
    call(anna, 5, 30, kind="transcription", output_tokens=0)
    call(None, 12, 4_000, bot="desk")
    call(anna, 29, 50_000)
    call(anna, 30, 900_000)
    return anna, ben
