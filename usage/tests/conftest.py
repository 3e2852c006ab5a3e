"""Fixtures of the usage tests."""

from collections.abc import Iterator

import pytest

from usage import prices


@pytest.fixture(autouse=True)
def fresh_prices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget prices and warnings of the test before, and leave none to the next."""
    prices.forget_prices()
    monkeypatch.setattr(prices, "_said", set())
    yield
    prices.forget_prices()
