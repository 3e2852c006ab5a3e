"""What a log line looks like, and what never gets into one."""

import json
import logging
import logging.config

import pytest
from django.http import HttpRequest

from config.logs.lines import JsonLines, OneLiners, bind


def test_production_logs_one_json_object_an_event(configure):
    lines = configure()
    logging.getLogger("some.app").info("message_sent", extra={"message_id": 7, "bot": "sales"})
    (line,) = [json.loads(line) for line in lines()]
    assert line.pop("time").endswith("Z")
    assert line == {"level": "INFO", "logger": "some.app", "event": "message_sent", "message_id": 7, "bot": "sales"}


def test_development_logs_one_readable_line_an_event(configure):
    lines = configure(json=False)
    logging.getLogger("some.app").warning("retry", extra={"attempt": 2, "reason": "too slow"})
    (line,) = lines()
    assert line[8:] == " WARNING some.app: retry attempt=2 reason=too slow"


def test_development_lines_carry_bound_ids(configure):
    lines = configure(json=False)
    with bind(turn_id=5):
        logging.getLogger("some.app").info("done")
    assert lines()[0].endswith("some.app: done turn_id=5")


@pytest.mark.parametrize("as_json", [True, False])
def test_no_number_key_or_text_is_in_a_line_or_its_traceback(configure, as_json):
    lines = configure(json=as_json)
    logger = logging.getLogger("some.app")
    try:
        raise ValueError("+12025550100 was refused, key sk-canary-1234, Bearer canary.token")
    except ValueError:
        logger.exception("send_failed to %s", "+12025550101", extra={"text": "canary text", "deep": {"body": "canary"}})
    written = "\n".join(lines())
    assert "send_failed" in written
    assert "ValueError" in written
    assert "Traceback" in written
    assert "2025550" not in written
    assert "canary" not in written


@pytest.mark.parametrize("as_json", [True, False])
def test_nobody_can_write_a_line_of_their_own(configure, as_json):
    lines = configure(json=as_json)
    forged = 'ok\r\n12:00:00 INFO forged: line\x1b[31m\u2028"'
    logging.getLogger("some.app").info(forged, extra={"reason": forged})
    assert len(lines()) == 1
    assert "\x1b" not in lines()[0]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_request_that_django_attaches_is_not_logged(configure, as_json):
    lines = configure(json=as_json)
    request = HttpRequest()
    request.path = "/webhooks/?hub.verify_token=canary"
    extra = {"status_code": 500, "request": request}
    logging.getLogger("django.request").error("Internal Server Error: %s", "/canary/491701234567/", extra=extra)
    (line,) = lines()
    assert "request_failed" in line
    assert "500" in line
    assert "canary" not in line
    assert "491701234567" not in line
    assert "WSGIRequest" not in line


@pytest.mark.parametrize("as_json", [True, False])
def test_what_a_stranger_sent_is_not_quoted(configure, as_json):
    lines = configure(json=as_json)
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header: %r", "canary.example")
    logging.getLogger("asyncio").error(
        "Task exception was never retrieved\nfuture: <Task exception=ValueError('canary')>"
    )
    (host, task) = lines()
    assert "request_suspicious_disallowedhost" in host
    assert "Task exception was never retrieved" in task
    assert "canary" not in host + task


@pytest.mark.parametrize("name", ["django.server", "granian.access"])
def test_lines_with_paths_and_queries_of_requests_are_not_written(configure, name):
    lines = configure(level="DEBUG")
    logging.getLogger(name).error('"GET /?q=canary HTTP/1.1" 500')
    assert lines() == []


def test_a_formatted_traceback_of_another_handler_is_redacted_too():
    record = logging.LogRecord("some.app", logging.ERROR, __file__, 1, "failed", (), None)
    record.exc_text = "ValueError: +12025550100"
    assert "2025550100" not in OneLiners().format(record)


@pytest.mark.parametrize("character", ["\r", "\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\ud800"])
@pytest.mark.parametrize("form", [JsonLines, OneLiners])
def test_no_control_character_is_written_as_it_is(form, character):
    record = logging.LogRecord("some.app", logging.INFO, __file__, 1, f"a{character}b", (), None)
    record.reason = f"c{character}d"
    line = form().format(record)
    assert character not in line
    line.encode()


def test_a_line_that_cannot_be_written_says_so_without_its_content(configure):
    lines = configure()

    class Broken:
        def __str__(self) -> str:
            raise ValueError("canary")

    logging.getLogger("some.app").info("event %s", "canary", extra={"value": Broken()})
    (line,) = lines()
    assert json.loads(line)["event"] == "log_line_failed"
    assert "canary" not in line
