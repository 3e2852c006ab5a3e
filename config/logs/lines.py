"""Format log lines: one event each, with ids. JSON in production, one-liners for people in development; redacted.

An event is a fixed name with extras: `logger.info("message_sent", extra={"message_id": 7})`. `bind()` adds ids to every
line of a block, in the thread or asyncio task that entered it and in the tasks it starts.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring_ascii
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from config.logs.context import bind, bound, bound_ids, current_request_id
from config.logs.redaction import LONGEST_CACHED, redact, redact_foreign, redact_mapping, remembered
from config.logs.tracebacks import format_safely

__all__ = [
    "JsonLines",
    "OneLiners",
    "bind",
    "bound_ids",
    "current_request_id",
    "event_of",
]

# What every record has, and what frameworks attach for their own handlers: the request object would carry its query
# string into the line.
_STANDARD = len(vars(logging.makeLogRecord({})))
_NO_EXTRAS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request", "server_time"}
# Loggers of ours: their messages are names of events, and their extras are chosen.
_OWN = ("bot", "config", "conversations", "usage", "users")

_OWN_IDS = ("request_id", "chat")
_OUR_NUMBERS = frozenset({"message_id", "turn_id"})


def _is_refusal(record: logging.LogRecord) -> bool:
    """Return whether Django says that it refused what a stranger sent."""
    return record.name.startswith("django.security")


def event_of(record: logging.LogRecord) -> str:
    """Return what a record says, redacted: an event's name, or what a library says as far as it may be shown."""
    name = record.name
    if name.partition(".")[0] in _OWN:
        return redact(record.getMessage())
    if _is_refusal(record):
        # Its texts quote what a stranger sent: a host, a cookie, a path.
        return f"request_suspicious_{name.rpartition('.')[2].lower()}"
    if name == "django.request":
        # (With the path, which may be anybody's number; the access line of the same request has its route.)
        return "request_failed"
    return redact_foreign(record.getMessage())


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the ids bound here and the record's extras, redacted; an extra wins over a bound id of its name."""
    # Extras are set last, so they come last.
    extras = islice(record.__dict__.items(), _STANDARD, None)
    return shown_with({key: value for key, value in extras if key not in _NO_EXTRAS})


def shown_with(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the ids bound here and facts as a line may show them; a fact wins over a bound id of its name."""
    here = bound()
    if here.shown is None:  # once for all lines of a turn or a request
        here.shown = _shown(here.ids)
    return {**here.shown, **_shown(facts)} if here.shown else _shown(facts)


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    # Made here at random or by a keyed hash: another one each time, which nothing that is remembered would help.
    shown = redact_mapping({key: value for key, value in fields.items() if key not in _OWN_IDS})
    for key in _OWN_IDS:
        if key in fields:
            shown[key] = fields[key]
    return shown


class Lines(logging.Formatter):
    """What both forms share. texts: exceptions are shown with what they say, as only a developer may see it."""

    def __init__(self, *, texts: bool = False) -> None:
        super().__init__()
        self.texts = texts

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's name)
        """Return the traceback of (class, exception, traceback)."""
        error = ei[1]
        if error is None:
            return ""
        return "".join(traceback.format_exception(error)).rstrip("\n") if self.texts else format_safely(error)

    def traceback_of(self, record: logging.LogRecord) -> str:
        """Return the record's traceback and stack, redacted; empty without any.

        Also empty where a stranger's request is refused (a wrong Host): that is Django's code, the same each time.
        """
        if _is_refusal(record):
            return ""
        raised = isinstance(record.exc_info, tuple) and record.exc_info[1] is not None
        shown = self.formatException(record.exc_info) if raised else record.exc_text
        return redact("\n".join(filter(None, (shown, record.stack_info))))


class JsonLines(Lines, JsonFormatter):
    """One JSON object a line: time, level, logger, event, then ids and extras; a traceback stands in `exc_info`.

    Everything but ASCII is escaped, so that no character can end a line, or hide one in a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; the library's own way, which takes several times as long, where there is a traceback."""
        if record.exc_info or record.exc_text or record.stack_info or type(record.msg) is not str:
            return super().format(record)
        start = beginning(record.created, record.levelname, record.name, event_of(record))
        return ended(start + pairs_of(fields_of(record)))

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill in the line's fields, redacted. message_dict: tracebacks, and what was logged in place of a text."""
        moment = datetime.fromtimestamp(record.created, tz=UTC)
        log_data["time"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["event"] = event_of(record)
        log_data.update(fields_of(record))
        if not message_dict:
            return
        shown = [message_dict.pop(name, "") for name in ("exc_info", "stack_info")]
        log_data.update(redact_mapping(message_dict))
        if any(shown) and not _is_refusal(record):
            log_data["exc_info"] = redact("\n".join(filter(None, shown)))

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return the line."""
        return ended(f"{{{pairs_of(log_data)[2:]}")


def pairs_of(fields: dict[str, Any]) -> str:
    """Return fields as a line has them behind its event; they are fit to be shown."""
    return "".join([f", {_quoted(key)}: {_as_json(value)}" for key, value in fields.items()])


def pairs_alone(facts: dict[str, Any]) -> str:
    """Return pairs_of(shown_with(facts)) where nothing is bound, at a third of its cost."""
    pairs = []
    for key, value in facts.items():
        kind = type(value)
        if kind is str:
            if key in _OWN_IDS:
                pairs.append(f', "{key}": {encode_basestring_ascii(value)}')
                continue
            if len(value) <= LONGEST_CACHED:
                pairs.append(_short_text(key, value))
                continue
        elif kind is int and key in _OUR_NUMBERS:
            pairs.append(f', "{key}": {value}')
            continue
        pairs.append(pairs_of(_shown({key: value})))
    return "".join(pairs)


@remembered
def _short_text(key: str, value: str) -> str:
    """Return a text as a line has it, redacted: names of bots and of kinds come again and again."""
    return pairs_of(redact_mapping({key: value}))


def beginning(created: float, level: str, logger: str, event: str) -> str:
    """Return how the line of an event begins; event is fit to be shown. created: Unix time."""
    start = _begun(int(created), level, logger, event)
    return f"{start[0]}{int(created % 1 * 1_000):03}{start[1]}"


def ended(line: str) -> str:
    """Return a line that lacks nothing but its end."""
    return f"{line}}}".replace("\x7f", "\\u007f")


# One for all lines: the library's way makes an encoder for each.
_encode = json.JSONEncoder(default=str).encode


def _as_json(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)
    return int.__repr__(value) if kind is int else _encode(value)


@lru_cache(maxsize=1_024)
def _quoted(key: Any) -> str:
    return encode_basestring_ascii(str(key))


@lru_cache(maxsize=256)
def _begun(second: int, level: str, logger: str, event: str) -> tuple[str, str]:
    """Return what a line begins with, before and after its milliseconds: the same for a whole second."""
    moment = datetime.fromtimestamp(second, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    named = f'"level": "{level}", "logger": {_as_json(logger)}, "event": {_as_json(event)}'
    return f'{{"time": "{moment}.', f'Z", {named}'


class OneLiners(Lines):
    """`12:00:00 INFO    bot.worker.delivery: message_sent message_id=7`, its traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {record.name}: {one_line(event_of(record))}"
        line += "".join(f" {key}={one_line(str(value))}" for key, value in fields_of(record).items())
        if shown := self.traceback_of(record):
            line += "\n" + "\n".join(one_line(part) for part in shown.split("\n"))
        return line


def one_line(text: str) -> str:
    """Return text with control characters escaped, so that nobody can write a line of their own into the log."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
