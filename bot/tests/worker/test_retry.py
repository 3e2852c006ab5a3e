"""How long a turn that failed waits before it is begun again."""

from bot.worker.retry import backoff


def test_pauses_between_attempts_grow_and_end_at_five_minutes() -> None:
    assert [backoff(attempts).total_seconds() for attempts in (0, 1, 2, 3, 4, 5, 9)] == [1, 1, 4, 16, 64, 256, 300]
