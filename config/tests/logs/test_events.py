"""Events that are logged without a record look as if they had been logged with one."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from config.logs import events
from config.logs.events import Event, log_events, only_handler
from config.logs.lines import JsonLines, bind
from config.logs.redaction import hide, register_secrets
from config.logs.sampling import SampledHandler

logger = logging.getLogger("bot.somewhere")
EVENTS = [
    Event("message_received", {"request_id": "abc123", "message_id": 7, "kind": "text", "bot": "shop"}),
    Event("message_redelivered", {"bot": "+4915112345678", "kind": "an\nend", "phone": "secret", "number": None}),
    Event("message_received", {"message_id": True, "kind": "+4915112345678 " * 9, "chat": 7, "sent": 1.5, "to": 49151}),
]


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Iterator[SampledHandler]:
    """Our handler is the only one, as in production."""
    handler = SampledHandler()
    handler.setFormatter(JsonLines())
    monkeypatch.setattr(logging.root, "handlers", [handler])
    # (Sentry's, which other tests start, is never taken out again.)
    monkeypatch.setattr(logging.Logger, "callHandlers", events._CALL_HANDLERS)
    monkeypatch.setattr(logging.root, "level", logging.INFO)
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(logging.NOTSET)


def write_alone(handler: SampledHandler) -> None:
    """Let nobody else see a record: pytest's own handlers have come between the fixture and the test."""
    handler.setStream(sys.stderr)
    logging.root.handlers[:] = [handler]
    assert only_handler(logger) is handler


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for line in found:
        assert line.pop("time").endswith("Z")
    return found


@pytest.mark.parametrize("ids", [{"worker": "w1", "bot": "outer"}, {}])
def test_a_line_is_the_same_with_and_without_a_record(
    only: SampledHandler, capsys: pytest.CaptureFixture[str], ids: dict[str, str]
) -> None:
    write_alone(only)
    with bind(**ids):
        log_events(logger, EVENTS)
        without = lines_of(capsys)
        logging.root.handlers.append(logging.NullHandler())
        log_events(logger, EVENTS)
    assert lines_of(capsys) == without
    assert [line["event"] for line in without] == [event.name for event in EVENTS]
    assert without[0]["request_id"] == "abc123"
    assert "4915112345678" not in str(without)
    assert "secret" not in str(without)


def test_what_is_remembered_of_a_line_is_forgotten_when_a_secret_becomes_known(
    only: SampledHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    write_alone(only)
    event = Event("message_received", {"bot": "a-word-of-a-bot"})
    log_events(logger, [event])
    register_secrets("test", ["a-word-of-a-bot"])
    try:
        log_events(logger, [event])
    finally:
        register_secrets("test", [])
    log_events(logger, [event])
    assert [line["bot"] for line in lines_of(capsys)] == ["a-word-of-a-bot", "[secret]", "a-word-of-a-bot"]


def test_an_address_that_is_hidden_here_is_hidden_in_what_is_remembered(
    only: SampledHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    write_alone(only)
    event = Event("message_received", {"kind": "of 4915112345678"})
    log_events(logger, [event])
    with hide("+4915112345678"):
        log_events(logger, [event])
    assert [line["kind"] for line in lines_of(capsys)] == ["of 4915112345678", "of [address]"]


def test_nothing_is_written_for_no_event_or_below_the_level(
    only: SampledHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    write_alone(only)
    log_events(logger, [])
    logger.setLevel(logging.WARNING)
    log_events(logger, EVENTS)
    assert capsys.readouterr().err == ""
