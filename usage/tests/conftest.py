"""Fixtures of the usage tests."""

import pytest

from usage import prices


@pytest.fixture(autouse=True)
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which models the tests before were warned about."""
    monkeypatch.setattr(prices, "_said", set())
