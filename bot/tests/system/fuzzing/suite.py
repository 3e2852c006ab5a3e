"""What the fuzzing tests of the suite share: bounded, and the same examples in every run."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# CI must not fail on Monday for what was there on Sunday: new examples are the long run's business.
BOUNDED = settings(
    derandomize=True, deadline=None, database=None, max_examples=100, suppress_health_check=list(HealthCheck)
)


def sources() -> st.SearchStrategy[Random]:
    """Return random sources that Hypothesis drives, and shrinks when a test fails."""
    return st.randoms(use_true_random=False)


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block stored: examples of one test share its database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
