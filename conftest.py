"""Fixtures of the whole suite, the marks that follow from what a test asks for, and the order of its tests."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_django
from django.contrib import admin
from django.db import connection

from bot.monitoring.metrics import pending
from bot.queue import snapshot
from config.tests.databases import make_cheap
from usage import prices

# Tests look at pages of the admin before a request has loaded the URLs, which would find them.
admin.autodiscover()

# Module → how many of its tests a run leaves to `make soak`.
LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = {}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by the database it asks for (pytest.ini says what the marks mean)."""
    fixtures = getattr(item, "fixturenames", ())
    marker = item.get_closest_marker("django_db")
    if "turns_db" in fixtures and marker is None:
        item.add_marker(pytest.mark.django_db(transaction=connection.vendor == "postgresql"))
    elif "transactional_db" in fixtures or (marker and marker.kwargs.get("transaction")):
        # Threads, locks, several connections: it is for these that a test asks for transactions of its own.
        item.add_marker(pytest.mark.database)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of processes: they wait most of the time, and would otherwise run alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("processes") is None)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note what is left to `make soak`."""
    modules = [item.nodeid.partition("::")[0] for item in items if item.get_closest_marker("soak")]
    if modules:
        items[0].config.stash[LEFT_OUT].update(Counter(modules))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that started this one, if any, what was left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from one of pytest-xdist's processes what was left out: all of them leave out the same."""
    node.config.stash[LEFT_OUT].update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out."""
    for module, number in sorted(config.stash[LEFT_OUT].items()):
        terminalreporter.line(f"LEFT to make soak: {number} of {module}")


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
