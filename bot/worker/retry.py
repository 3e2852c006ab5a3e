"""The retry policy: how often a turn is begun, how long it waits in between, and why it is given up."""

from datetime import datetime, timedelta

from django.utils import timezone

from bot.errors import ErrorCode
from bot.pipeline.turn import Turn

# A message that was begun this often without an end (a crash each time) is a dead letter.
MOST_ATTEMPTS = 8
LONGEST_DELAY_SECONDS = 300


def is_exhausted(turn: Turn) -> bool:
    """Return whether the turn was begun too often."""
    return turn.attempts > MOST_ATTEMPTS


def may_retry(turn: Turn) -> bool:
    """Return whether the turn may be begun once more."""
    return turn.attempts < MOST_ATTEMPTS


def backoff(attempts: int) -> timedelta:
    """Return how long to wait before the attempt after this many: 1, 4, 16, 64 … seconds, at most five minutes."""
    return timedelta(seconds=min(4 ** max(attempts - 1, 0), LONGEST_DELAY_SECONDS))


def free_at(delay: timedelta | None) -> datetime:
    """Return when a chat may be worked on again."""
    return timezone.now() + (delay or timedelta())


def dead_reason(turn: Turn) -> str:
    """Return why a turn that was begun too often is given up."""
    return ErrorCode.CHANNEL_ERROR if turn.parts else ErrorCode.INTERNAL_ERROR
