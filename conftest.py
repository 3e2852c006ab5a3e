"""Fixtures of the whole suite."""

from collections.abc import Iterator

import pytest

from bot import directory


@pytest.fixture(autouse=True)
def fresh_directory() -> Iterator[None]:
    """Forget the bots of the test before: they are cached for seconds."""
    directory.forget()
    yield
    directory.forget()
