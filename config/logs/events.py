"""Log events of messages' stories: what logger.info() does, at a quarter of its cost where nobody else listens.

Each message has five such lines, and a record with its way through loggers and handlers costs more than the line.
Where anything but our own handler could want the record (Sentry, a test, a filter), it is made as always.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from config.logs.context import is_anything_bound
from config.logs.lines import JsonLines, beginning, ended, pairs_alone, pairs_of, shown_with
from config.logs.sampling import SampledHandler

INFO = logging.INFO
_CALL_HANDLERS = logging.Logger.callHandlers


class Event(NamedTuple):
    """An event's name, and its facts: what the line carries as extras."""

    name: str
    facts: dict[str, Any]


def log_events(logger: logging.Logger, events: Iterable[Event]) -> None:
    """Log events at INFO, each with facts as its extras, and write their lines at once."""
    if not logger.isEnabledFor(INFO):
        return
    handler = only_handler(logger)
    if handler is None:
        for name, facts in events:
            logger.info(name, extra=facts)
        return
    now, begun, lines = time.time(), dict[str, str](), []
    alone = not is_anything_bound()
    for name, facts in events:
        start = begun.get(name) or begun.setdefault(name, beginning(now, "INFO", logger.name, name))
        lines.append(ended(start + (pairs_alone(facts) if alone else pairs_of(shown_with(facts)))))
    if lines:
        handler.write("\n".join(lines))


def only_handler(logger: logging.Logger) -> SampledHandler | None:
    """Return our own handler, if it writes JSON and is all that would see a record of this logger."""
    # (Sentry puts a function of its own into the class.)
    if logging.Logger.callHandlers is not _CALL_HANDLERS or len(logging.root.handlers) != 1:
        return None
    handler = logging.root.handlers[0]
    if type(handler) is not SampledHandler or type(handler.formatter) is not JsonLines or handler.filters:
        return None
    one: logging.Logger | None = logger
    while one is not None and one is not logging.root:
        if one.handlers or one.filters or not one.propagate:
            return None
        one = one.parent
    return None if logging.root.filters else handler
