"""How much the front holds for others: bytes in memory, and requests that wait for something."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import AppError, ErrorCode


def busy(detail: str) -> AppError:
    """Return the refusal of what could be answered later."""
    return AppError(ErrorCode.BUSY, detail, retryable=True)


class Bound:
    """So much of something at once, for all requests together; what is over it is refused, and never waits."""

    def __init__(self, most: int, of: str) -> None:
        self.most, self.of = most, of
        self.used = 0

    def take(self, amount: int = 1) -> None:
        """Take an amount.

        Raises:
            AppError: BUSY, so much is not left.
        """
        if self.used + amount > self.most:
            raise busy(f"too many {self.of} at once, try again later")
        self.used += amount

    def give_back(self, amount: int = 1) -> None:
        """Give an amount back."""
        self.used -= amount

    @contextmanager
    def held(self, amount: int = 1) -> Iterator[None]:
        """Hold an amount inside the block.

        Raises:
            AppError: BUSY, so much is not left.
        """
        self.take(amount)
        try:
            yield
        finally:
            self.give_back(amount)
