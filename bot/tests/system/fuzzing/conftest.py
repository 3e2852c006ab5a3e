"""Both entrances, for tests that deliver what is hostile."""

from collections.abc import Iterator

import pytest

from bot.tests.support.entrances import ENTRANCES, Entrance, entrance


@pytest.fixture(params=ENTRANCES)
def door(request: pytest.FixtureRequest) -> Iterator[Entrance]:
    """An entrance to the webhooks."""
    request.getfixturevalue("transactional_db" if uses_transactions(request) else "db")
    with entrance(request.param) as opened:
        yield opened


def uses_transactions(request: pytest.FixtureRequest) -> bool:
    """Return whether the test asks for a database without a transaction around it."""
    marker = request.node.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction"))
