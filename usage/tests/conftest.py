"""Fixtures of the usage tests."""

from collections.abc import Iterator

import pytest
import time_machine

from usage import prices
from usage.tests.usages import NOON


@pytest.fixture(autouse=True)
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which models the tests before were warned about."""
    monkeypatch.setattr(prices, "_said", set())


@pytest.fixture
def at_noon() -> Iterator[None]:
    """Let it be noon on the day that the usages of the tests are counted back from."""
    with time_machine.travel(NOON, tick=False):
        yield
