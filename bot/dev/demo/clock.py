"""A clock of this process that is put forward by hand, for what asks Django for the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from bot.pipeline import turn


class Clock:
    """Where the clock stands."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def move(self, milliseconds: float) -> datetime:
        """Let time pass; return what time it is then."""
        self.at += timedelta(milliseconds=milliseconds)
        return self.at


@contextmanager
def moved_clock(at: datetime) -> Iterator[Clock]:
    """Let django.utils.timezone.now(), also where it is a column's default, and a turn's steps follow a clock.

    For a process that does nothing else. Waiting and deadlines go by the machine's clock.
    """
    clock = Clock(at)

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            # (Nothing happens at the same time as something else.)
            return clock.move(0.001).astimezone(tz)

    steps = SimpleNamespace(monotonic=lambda: clock.at.timestamp())
    with patch("django.utils.timezone.datetime", Moved), patch.object(turn, "time", steps):
        yield clock
