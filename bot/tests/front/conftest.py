"""A front within the test's process."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.tests.front.calling import Caller, calling
from bot.tests.front.standin import PagesStandIn, pages_stand_in


@pytest.fixture
def front(db: None) -> Iterator[Caller]:
    """A front whose database thread is the test's own. Whatever is asked of it, all that it holds is given back."""
    with calling() as caller:
        yield caller
        caller.settle()
        assert caller.held() == {}, "what requests held was given back"


@pytest.fixture
def pages(front: Caller, settings: Any) -> Iterator[PagesStandIn]:
    """A stand-in for the pages' process."""
    context = pages_stand_in()
    stand_in = front.run(context.__aenter__())
    settings.PAGES_SOCKET = stand_in.path
    yield stand_in
    front.run(context.__aexit__(None, None, None))
