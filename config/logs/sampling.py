"""One fault that repeats a thousand times is a few lines and a count, not a thousand lines.

Of warnings and errors of one kind (logger, event, code, bot) the first few of a minute are logged; the others are
counted, and the count is logged when the minute ends or the process stops. Information is never left out: lines of
level INFO and below tell the story of each message.
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
# Kinds that are remembered at once. Error codes of providers could be anything.
MOST_KINDS = 500
# What tells faults of one event apart.
TELLING = ("code", "error_code", "error", "reason", "budget", "percent", "failed")


def kind_of(record: logging.LogRecord) -> tuple[Hashable, ...]:
    """Return what makes two records the same fault."""
    extras = record.__dict__
    bot = extras.get("bot") or bound_ids().get("bot")
    raised = str(record.exc_info[0]) if isinstance(record.exc_info, tuple) else ""
    told = tuple(str(extras.get(name, "")) for name in TELLING)
    return (record.name, record.levelno, str(record.msg), bot, raised, *told)


@dataclass(slots=True)
class Seen:
    """One kind in its current window: what its count says, how many came, and how many of them were left out."""

    began: float
    facts: dict[str, Any]
    count: int = 0
    left_out: int = 0


@dataclass(slots=True)
class Sampler:
    """Decides which records pass. Not thread-safe: its handler's lock guards it."""

    first: int = FIRST
    window: float = WINDOW_SECONDS
    most_kinds: int = MOST_KINDS
    clock: Callable[[], float] = time.monotonic
    _kinds: dict[tuple[Hashable, ...], Seen] = field(default_factory=dict)

    def admit(self, record: logging.LogRecord) -> tuple[bool, list[logging.LogRecord]]:
        """Return whether a record passes, and the counts that are due before it."""
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
        """Forget the kinds whose window is over and return the counts of what of them was left out."""
        now, due = self.clock(), list[logging.LogRecord]()
        while self._kinds:
            # They stand in the order they began.
            oldest = next(iter(self._kinds))
            if not all_of_them and now - self._kinds[oldest].began < self.window:
                break
            due += self._end(oldest)
        return due

    @property
    def holds_back(self) -> bool:
        """Whether there are counts that are still to be logged."""
        return any(seen.left_out for seen in self._kinds.values())

    def forget(self) -> None:
        """Count from nothing: what a parent process left out, it tells itself."""
        self._kinds.clear()

    def _end(self, kind: tuple[Hashable, ...]) -> list[logging.LogRecord]:
        seen = self._kinds.pop(kind)
        if not seen.left_out:
            return []
        return [logging.makeLogRecord({**seen.facts, "repeated": seen.left_out, "seconds": self.window})]


def _facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a count repeats of a record. Not the record: it would keep a traceback's frames alive."""
    extras = record.__dict__
    bot = extras.get("bot") or bound_ids().get("bot")
    told = {name: extras[name] for name in TELLING if name in extras}
    line = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname, "msg": record.msg}
    return {**line, **told, **({"bot": bot} if bot else {})}


class SampledHandler(logging.StreamHandler[Any]):
    """Writes to stderr what its sampler lets pass. The lock every handler has guards the sampler as well."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        super().__init__()
        self.sampler = sampler or Sampler()
        self._timer: threading.Timer | None = None
        self._tell_at_exit()
        util.register_after_fork(self, SampledHandler._begin_anew)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        passes, due = self.sampler.admit(record)
        self._write_counts(due)
        if passes:
            super().emit(record)
        elif self._timer is None:
            self._set_timer()

    def write(self, line: str) -> None:
        """Write a line that is no warning, and so is never left out."""
        self.acquire()
        try:
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except Exception:  # as with a record: who logs must not fail
            self.handleError(logging.makeLogRecord({"name": __name__}))
        finally:
            self.release()

    def tell_counts(self) -> None:
        """Write every count now: the process stops."""
        self.acquire()
        try:
            self._write_counts(self.sampler.due(all_of_them=True))
        finally:
            self.release()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Say that a line could not be written: Python's own way prints the message with all its arguments."""
        try:
            failed = logging.makeLogRecord({"name": __name__, "levelno": logging.ERROR, "levelname": "ERROR"})
            failed.msg, failed.of = "log_line_failed", record.name
            self.stream.write(self.format(failed) + self.terminator)
        except Exception:  # noqa: S110 (stderr itself is gone: there is nowhere left to say it)
            pass

    def _set_timer(self) -> None:
        # By itself nothing else may be logged for hours.
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
            # Without the ids of whatever is being done just now.
            Context().run(super().emit, record)

    def _tell_at_exit(self) -> None:
        # Not atexit, which children of multiprocessing skip: granian's and django-q2's are such.
        self._at_exit = util.Finalize(None, self.tell_counts, exitpriority=0)

    def _begin_anew(self) -> None:
        """Start without the parent's counts and timer, in a child that was forked."""
        self.sampler.forget()
        self._timer = None
        self._tell_at_exit()
