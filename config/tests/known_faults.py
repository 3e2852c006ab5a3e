"""Mark tests that show a fault which is known and not mended yet."""

import pytest


class Broken(Exception):
    """A promise that a test is about does not hold."""


def known(fault: str) -> pytest.MarkDecorator:
    """Mark a test that shows a fault: it has to end at promised(), and fails when it passes or breaks elsewhere."""
    return pytest.mark.xfail(strict=True, raises=Broken, reason=fault)


def given(holds: bool, what: str) -> None:
    """Make sure of what a test builds on: without it nothing would be shown.

    Raises:
        RuntimeError: it does not hold.
    """
    if not holds:
        raise RuntimeError(what)


def promised(holds: bool) -> None:
    """Ask for what the test promises in its name.

    Raises:
        Broken: it does not hold.
    """
    if not holds:
        raise Broken
