"""The world, made once for a module; what a test does to it is undone after it."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils.timezone import now
from django_q.models import OrmQ
from pytest_django import DjangoDbBlocker

from bot.tests.admin.roles.page_table import HAS_QUEUE
from bot.tests.admin.roles.world import World, make_world


@pytest.fixture(autouse=True)
def _django_db_marker(request: pytest.FixtureRequest) -> None:
    """Give a marked test the database as everywhere, but not one in the world: that has a transaction of its own."""
    if request.node.get_closest_marker("django_db") and "world" not in request.fixturenames:
        request.getfixturevalue("_django_db_helper")


@pytest.fixture(autouse=True)
def _queue_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is queued in rows, also where Redis would carry it to whichever scheduler runs."""
    if not HAS_QUEUE:
        queue = OrmQ.objects.create
        monkeypatch.setattr(
            "bot.operations.schedules.async_task", lambda *task, **_: queue(key="here", payload="", lock=now())
        )


@pytest.fixture(scope="module")
def whole_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Make the world in a transaction that is rolled back when the module is over."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture
def world(whole_world: World, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Lend the world to a test, with the browsers as they signed in."""
    cookies = {role: client.cookies.copy() for role, client in whole_world.clients.items()}
    with django_db_blocker.unblock(), transaction.atomic():
        yield whole_world
        transaction.set_rollback(True)
    for role, kept in cookies.items():
        whole_world.clients[role] = Client()
        whole_world.clients[role].cookies.update(kept)
    cache.clear()
