"""Log sampling: rate-limit repeated warnings and errors, and log how many were suppressed.

Of one kind (logger, event, code, bot) the first few of a minute are logged; the others are counted, and the count is
logged when the minute ends or the process stops. Lines of level INFO and below are never suppressed: they tell the
story of each message.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from contextvars import Context
from dataclasses import dataclass, field
from multiprocessing import util
from typing import Any

from config.logs.context import bound_ids

FIRST = 3
WINDOW_SECONDS = 60.0
# Limit of remembered kinds, because providers' error codes are unbounded.
MOST_KINDS = 500
# Fields that distinguish faults of one event.
TELLING = ("code", "error_code", "error", "reason", "budget", "percent", "failed")


def kind_of(record: logging.LogRecord) -> tuple[Hashable, ...]:
    """Return the sampling key of a record: equal for repetitions of one fault."""
    extras = record.__dict__
    bot = extras.get("bot") or bound_ids().get("bot")
    raised = str(record.exc_info[0]) if isinstance(record.exc_info, tuple) else ""
    told = tuple(str(extras.get(name, "")) for name in TELLING)
    return (record.name, record.levelno, str(record.msg), bot, raised, *told)


@dataclass(slots=True)
class Seen:
    """One kind in its current window: the facts of its count, how many records came, and how many were suppressed."""

    began: float
    facts: dict[str, Any]
    count: int = 0
    left_out: int = 0


@dataclass(slots=True)
class Sampler:
    """The filter that decides which records pass. Not thread-safe: its handler's lock guards it."""

    first: int = FIRST
    window: float = WINDOW_SECONDS
    most_kinds: int = MOST_KINDS
    clock: Callable[[], float] = time.monotonic
    _kinds: dict[tuple[Hashable, ...], Seen] = field(default_factory=dict)

    def admit(self, record: logging.LogRecord) -> tuple[bool, list[logging.LogRecord]]:
        """Return whether a record passes, and the counts to log before it."""
        if record.levelno < logging.WARNING:
            return True, []
        due = self.due()
        kind = kind_of(record)
        seen = self._kinds.get(kind)
        if seen is None:
            if len(self._kinds) >= self.most_kinds:
                due += self._end(next(iter(self._kinds)))
            seen = self._kinds[kind] = Seen(self.clock(), _facts_of(record))
        seen.count += 1
        if seen.count <= self.first:
            return True, due
        seen.left_out += 1
        return False, due

    def due(self, *, all_of_them: bool = False) -> list[logging.LogRecord]:
        """Drop the kinds whose window has ended and return the counts of their suppressed records."""
        now, due = self.clock(), list[logging.LogRecord]()
        while self._kinds:
            # Insertion order: the oldest window first.
            oldest = next(iter(self._kinds))
            if not all_of_them and now - self._kinds[oldest].began < self.window:
                break
            due += self._end(oldest)
        return due

    @property
    def holds_back(self) -> bool:
        """Whether any counts are still to be logged."""
        return any(seen.left_out for seen in self._kinds.values())

    def forget(self) -> None:
        """Reset the counts: a parent process logs its own."""
        self._kinds.clear()

    def _end(self, kind: tuple[Hashable, ...]) -> list[logging.LogRecord]:
        seen = self._kinds.pop(kind)
        if not seen.left_out:
            return []
        return [logging.makeLogRecord({**seen.facts, "repeated": seen.left_out, "seconds": self.window})]


def _facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a record that its count repeats. The record itself would keep a traceback's frames alive."""
    extras = record.__dict__
    bot = extras.get("bot") or bound_ids().get("bot")
    told = {name: extras[name] for name in TELLING if name in extras}
    line = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname, "msg": record.msg}
    return {**line, **told, **({"bot": bot} if bot else {})}


class SampledHandler(logging.StreamHandler[Any]):
    """The stderr handler with sampling. Its own lock, which every handler has, guards the sampler as well."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        super().__init__()
        self.sampler = sampler or Sampler()
        self._timer: threading.Timer | None = None
        self._tell_at_exit()
        util.register_after_fork(self, SampledHandler._begin_anew)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record or count it."""
        passes, due = self.sampler.admit(record)
        self._write_counts(due)
        if passes:
            super().emit(record)
        elif self._timer is None:
            self._set_timer()

    def write(self, line: str) -> None:
        """Write a line below WARNING, which is never suppressed."""
        self.acquire()
        try:
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except Exception:  # as with a record: logging must not fail its caller
            self.handleError(logging.makeLogRecord({"name": __name__}))
        finally:
            self.release()

    def tell_counts(self) -> None:
        """Write every count now, as the process stops."""
        self.acquire()
        try:
            self._write_counts(self.sampler.due(all_of_them=True))
        finally:
            self.release()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Report that a line could not be written, without its arguments, which Python's own report would print."""
        try:
            failed = logging.makeLogRecord({"name": __name__, "levelno": logging.ERROR, "levelname": "ERROR"})
            failed.msg, failed.of = "log_line_failed", record.name
            self.stream.write(self.format(failed) + self.terminator)
        except Exception:  # noqa: S110 (stderr itself is gone: there is nowhere left to say it)
            pass

    def _set_timer(self) -> None:
        # A timer, because nothing else may be logged for hours.
        self._timer = threading.Timer(self.sampler.window, self._window_ended)
        self._timer.daemon = True
        self._timer.start()

    def _window_ended(self) -> None:
        self.acquire()
        try:
            self._timer = None
            self._write_counts(self.sampler.due())
            if self.sampler.holds_back:
                self._set_timer()
        finally:
            self.release()

    def _write_counts(self, due: list[logging.LogRecord]) -> None:
        for record in due:
            # An empty context: the count has none of the current ids.
            Context().run(super().emit, record)

    def _tell_at_exit(self) -> None:
        # Not atexit, which children of multiprocessing skip: granian's and django-q2's are such.
        self._at_exit = util.Finalize(None, self.tell_counts, exitpriority=0)

    def _begin_anew(self) -> None:
        """Reset the counts and the timer in a forked child."""
        self.sampler.forget()
        self._timer = None
        self._tell_at_exit()
