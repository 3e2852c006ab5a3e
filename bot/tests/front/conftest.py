"""A front within the test's process."""

from collections.abc import Iterator

import pytest

from bot.front import bodies
from bot.tests.front.calling import Caller, calling


@pytest.fixture
def front(db: None) -> Iterator[Caller]:
    """A front whose database thread is the test's own. Whatever is asked of it, all that it holds is given back."""
    with calling() as caller:
        yield caller
        caller.settle()
        held = {bound.of: bound.used for bound in (bodies.together, bodies.arriving) if bound.used}
        assert held == {}, "what requests held was given back"
