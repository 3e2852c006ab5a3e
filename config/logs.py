"""Logging: one event a line, with ids. JSON in production, one-liners for people in development; redacted in both.

An event is a fixed name with extras: `logger.info("message_sent", extra={"message_id": 7})`. `bind()` adds ids to every
line of a block, in the thread or asyncio task that entered it and in the tasks it starts.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from config.redaction import redact, redact_mapping

_bound: ContextVar[dict[str, Any]] = ContextVar("bound_log_ids", default={})  # noqa: B039 (never modified in place)

# What frameworks attach for their own handlers: the request object would carry its query string into the line.
_FOREIGN_EXTRAS = frozenset({"request", "server_time"})
_STANDARD_ATTRIBUTES = frozenset(RESERVED_ATTRS) | _FOREIGN_EXTRAS | {"message", "asctime"}

# Client libraries that log addresses, headers and whole prompts at INFO or DEBUG, whatever LOG_LEVEL says.
_TALKATIVE = ("aiohttp", "asyncio", "django.db.backends", "httpcore", "httpx", "httpx2", "openai", "urllib3")


@contextmanager
def bind(**ids: Any) -> Iterator[None]:
    """Add ids (turn_id, bot, worker, request_id, …) to every line that is logged inside the block."""
    token = _bound.set({**_bound.get(), **ids})
    try:
        yield
    finally:
        _bound.reset(token)


def bound_ids() -> dict[str, Any]:
    """Return the ids that are bound here and now."""
    return dict(_bound.get())


def current_request_id() -> str:
    """Return the id of the request that is being answered, empty outside of one."""
    return str(_bound.get().get("request_id", ""))


class JsonLines(JsonFormatter):
    """One JSON object a line: time, level, logger, event, then ids and extras; a traceback stands in `exc_info`.

    Redaction happens here and not in a filter: only the formatter sees the traceback's text and nested extras.
    """

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "message": "event"},
            reserved_attrs=[*RESERVED_ATTRS, *_FOREIGN_EXTRAS],
            json_ensure_ascii=False,
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Put the time first, then the bound ids; an extra of the same name wins over a bound id."""
        moment = datetime.fromtimestamp(record.created, tz=UTC)
        log_data["time"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        log_data.update(bound_ids())
        super().add_fields(log_data, record, message_dict)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the line's fields, redacted."""
        return redact_mapping(log_data)


class OneLiners(logging.Formatter):
    """`12:00:00 INFO    bot.worker: message_sent message_id=7`, with the traceback below it where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        extras = {key: value for key, value in record.__dict__.items() if key not in _STANDARD_ATTRIBUTES}
        fields = redact_mapping({**bound_ids(), **extras})
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {record.name}: {one_line(redact(record.getMessage()))}"
        line += "".join(f" {key}={one_line(str(value))}" for key, value in fields.items())
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line += f"\n{redact(record.exc_text)}"
        return line


def one_line(text: str) -> str:
    """Return text with control characters escaped, so that nobody can write a line of their own into the log."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def logging_config(*, level: str, json: bool) -> dict[str, Any]:
    """Return the configuration of Python's logging: everything goes to stderr, once, at level or above."""
    quiet = "WARNING" if level in {"DEBUG", "INFO"} else level
    # Their own handlers are removed (Django's mail and console, granian's): the root's is the only one.
    through_root = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": JsonLines if json else OneLiners}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **{name: {**through_root, "level": level} for name in ("django", "django.server", "django-q")},
            **{name: {**through_root, "level": level} for name in ("_granian", "granian.access")},
            **{name: {"level": quiet} for name in _TALKATIVE},
            # A traceback a probe, every few seconds: bot.health says the same in one line.
            "health_check": {"level": "ERROR"},
        },
    }
