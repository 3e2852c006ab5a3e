"""Ask the store that all processes share (Redis), or do without it because it has just failed."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.5
# One that failed is left alone for so long, so that one that hangs does not cost everybody a time-out.
LEFT_ALONE_SECONDS = 5.0


class SharedStore:
    """What is known of the store: it is asked while it is well, else by one caller now and then.

    Whoever may ask does so inside of trying(), and behind it goes on without an answer.
    """

    def __init__(self, counts: str) -> None:
        """Take it that it is well. counts: what is counted in it, for the log."""
        self.is_down = False
        self._counts = counts
        self._ask_again_at = 0.0

    def may_be_asked(self) -> bool:
        """Return whether to ask it now; while it is down, that is the caller's to try."""
        now = time.monotonic()
        if self.is_down and now < self._ask_again_at:
            return False
        self._ask_again_at = now + LEFT_ALONE_SECONDS
        return True

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Note whether it answers, and swallow what it raises; a change is logged once, not for each who meets it."""
        was_down = self.is_down
        try:
            yield
        except Exception as error:  # the library passes on whatever its client raises
            if not self.is_down:
                logger.error("rate_limit_store_lost", extra={"counts": self._counts, "error": type(error).__name__})
            self.is_down = True
            self._ask_again_at = time.monotonic() + LEFT_ALONE_SECONDS
        else:
            if was_down and self.is_down:
                logger.info("rate_limit_store_back", extra={"counts": self._counts})
                self.is_down = False
