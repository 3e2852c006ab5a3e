"""Fixtures of the whole suite, and the order of its tests."""

from collections.abc import Iterator

import pytest
import pytest_django
from django.contrib import admin

from bot.monitoring.metrics import pending
from bot.queue import snapshot
from config.tests.databases import make_cheap
from usage import prices

# Tests look at pages of the admin before a request has loaded the URLs, which would find them.
admin.autodiscover()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of processes: they wait most of the time, and would otherwise run alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("processes") is None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """Create the test database as pytest-django does, and make it cheap to empty."""
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            make_cheap(patch)
        yield


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    """Forget the bots, tombstones and prices of the test before, cached for seconds, and what it has counted."""
    snapshot.forget()
    prices.forget_prices()
    pending.take()  # (the next worker would write it down as its own)
    yield
    snapshot.forget()
    prices.forget_prices()
