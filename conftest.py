"""Fixtures of the whole suite, and the order of its tests."""

from collections.abc import Iterator

import pytest

from bot import directory
from usage import prices


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of processes: they wait most of the time, and would otherwise run alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("processes") is None)


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    """Forget the bots, tombstones and prices of the test before: they are cached for seconds."""
    directory.forget()
    prices.forget_prices()
    yield
    directory.forget()
    prices.forget_prices()
