"""The retry policy of turns: number of attempts, backoff, and the reason of a dead letter."""

from datetime import datetime, timedelta

from django.utils import timezone

from bot.errors import ErrorCode
from bot.pipeline.turn import Turn

# A message with more attempts, each ended by a crash, is a dead letter.
MOST_ATTEMPTS = 8
LONGEST_DELAY_SECONDS = 300


def is_exhausted(turn: Turn) -> bool:
    """Return whether the turn has had too many attempts."""
    return turn.attempts > MOST_ATTEMPTS


def may_retry(turn: Turn) -> bool:
    """Return whether the turn may have another attempt."""
    return turn.attempts < MOST_ATTEMPTS


def backoff(attempts: int) -> timedelta:
    """Return the delay after so many attempts: 1, 4, 16, 64 … seconds, at most five minutes."""
    return timedelta(seconds=min(4 ** max(attempts - 1, 0), LONGEST_DELAY_SECONDS))


def free_at(delay: timedelta | None) -> datetime:
    """Return when the chat may be claimed again."""
    return timezone.now() + (delay or timedelta())


def dead_reason(turn: Turn) -> str:
    """Return the error code of a turn with too many attempts."""
    return ErrorCode.CHANNEL_ERROR if turn.parts else ErrorCode.INTERNAL_ERROR
