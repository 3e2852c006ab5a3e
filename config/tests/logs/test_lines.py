"""What a log line looks like, and what never gets into one."""

import json
import logging
import logging.config
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from django.http import HttpRequest

from config.logs.configuration import logging_config
from config.logs.lines import JsonLines, OneLiners, bind, bound_ids

Lines = Callable[[], list[str]]


@pytest.fixture
def configure(capsys) -> Iterator[Callable[..., Lines]]:
    """Configure logging for real, as settings do, with stderr caught; the loggers are put back afterwards."""
    names = [
        "",
        "django",
        "django.server",
        "django.request",
        "django.template",
        "django-q",
        "_granian",
        "granian.access",
        "health_check",
        "openai",
        "some.app",
    ]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = [(logger, list(logger.handlers), logger.propagate) for logger, _ in before]
    written: list[str] = []

    def configure(*, level: str = "INFO", json: bool = True, texts: bool = False) -> Lines:
        logging.config.dictConfig(logging_config(level=level, json=json, texts=texts))
        return read

    def read() -> list[str]:
        # By "\n" only: that is what ends a line for whoever collects them.
        written.extend(capsys.readouterr().err.split("\n")[:-1])
        return written

    yield configure
    for logger, level in before:
        logger.setLevel(level)
    for logger, own, propagate in handlers:
        logger.handlers[:] = own
        logger.propagate = propagate


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


def test_bound_ids_are_on_every_line_of_the_block_and_on_none_after(configure):
    lines = configure()
    logger = logging.getLogger("some.app")
    with bind(turn_id=5, bot="sales"):
        with bind(worker="w1"):
            logger.info("inner")
        logger.info("own_wins", extra={"bot": "support"})
    logger.info("after")
    inner, own, after = (json.loads(line) for line in lines())
    assert (inner["turn_id"], inner["bot"], inner["worker"]) == (5, "sales", "w1")
    assert (own["turn_id"], own["bot"]) == (5, "support")
    assert "worker" not in own
    assert "turn_id" not in after


def test_bound_ids_end_with_the_block_even_when_it_fails():
    with pytest.raises(RuntimeError), bind(turn_id=5):
        raise RuntimeError
    assert bound_ids() == {}


def test_bound_ids_stay_in_their_own_thread():
    seen = []
    with bind(turn_id=5):
        thread = threading.Thread(target=lambda: seen.append(bound_ids()))
        thread.start()
        thread.join()
    assert seen == [{}]


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


@pytest.mark.parametrize("name", ["django", "django.request", "django-q", "_granian"])
def test_frameworks_log_through_the_same_handler_once(configure, name):
    other = logging.StreamHandler()
    logging.getLogger(name).addHandler(other)
    lines = configure()
    if name == "django.request":
        logging.getLogger(name).removeHandler(other)
    logging.getLogger(name).error("something")
    assert len(lines()) == 1
    assert json.loads(lines()[0])["logger"] == name


def test_configuring_twice_does_not_log_twice(configure):
    configure()
    lines = configure()
    logging.getLogger("some.app").info("once")
    assert len(lines()) == 1


@pytest.mark.parametrize(("level", "written"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_log_level_is_the_least_that_is_logged(configure, level, written):
    lines = configure(level=level)
    logger = logging.getLogger("some.app")
    for emit in (logger.debug, logger.info, logger.warning, logger.error):
        emit("event")
    assert len(lines()) == written


@pytest.mark.parametrize("name", ["openai", "openai._base_client", "httpx2", "aiohttp.client", "django.db.backends"])
def test_libraries_that_log_prompts_and_queries_stay_quiet_even_at_debug(configure, name):
    lines = configure(level="DEBUG")
    logging.getLogger(name).info("the whole prompt")
    assert lines() == []


def test_a_formatted_traceback_of_another_handler_is_redacted_too():
    record = logging.LogRecord("some.app", logging.ERROR, __file__, 1, "failed", (), None)
    record.exc_text = "ValueError: +12025550100"
    assert "2025550100" not in OneLiners().format(record)


class Ours(Exception):
    text_is_safe = True


def failed_as(error: Exception) -> logging.LogRecord:
    try:
        try:
            raise KeyError("canary of the cause")
        except KeyError as cause:
            raise error from cause
    except Exception:
        return logging.LogRecord("some.app", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())


@pytest.mark.parametrize("form", [JsonLines, OneLiners])
def test_a_traceback_says_which_and_where_but_not_what_exceptions_say(form):
    line = form().format(failed_as(ValueError("canary words")))
    for expected in ("KeyError: [text withheld]", "ValueError: [text withheld]", "direct cause", "failed_as", "line "):
        assert expected in line
    assert "canary words" not in line
    assert "canary of the cause" not in line.replace('raise KeyError("canary of the cause")', "").replace(
        'raise KeyError(\\"canary of the cause\\")', ""
    )


def test_what_our_own_exceptions_and_the_operating_system_say_is_shown():
    assert "Ours: no such bot" in JsonLines().format(failed_as(Ours("no such bot")))
    refused = ConnectionRefusedError(111, "canary")
    assert "ConnectionRefusedError: [Errno 111] Connection refused" in JsonLines().format(failed_as(refused))


def test_a_group_of_exceptions_names_its_members():
    line = JsonLines().format(failed_as(ExceptionGroup("canary group", [ValueError("canary one"), Ours("two")])))
    assert "ExceptionGroup: [text withheld]" in line
    assert "ValueError: [text withheld]" in line
    assert "Ours: two" in line
    assert "canary one" not in line.replace('ValueError(\\"canary one\\")', "")


def test_a_developer_sees_what_exceptions_say():
    assert "words of a developer" in OneLiners(texts=True).format(failed_as(ValueError("words of " + "a developer")))


def test_a_chain_of_causes_without_an_end_ends():
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    record = logging.LogRecord("some.app", logging.ERROR, __file__, 1, "failed", (), (ValueError, one, None))
    assert JsonLines().format(record).count("ValueError") == 2


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


@pytest.mark.processes
def test_every_line_of_a_process_that_crashes_is_json():
    program = (
        "import logging, threading, warnings; from config.logs.configuration import configure, logging_config;"
        "configure(logging_config(level='INFO', json=True)); warnings.warn('old');"
        "thread = threading.Thread(target=lambda: int('canary')); thread.start(); thread.join(); int('canary')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events][1:] == ["thread_crashed", "process_crashed"]
    assert "UserWarning" in events[0]["event"]
    assert "ValueError: [text withheld]" in events[2]["exc_info"]
    assert done.returncode == 1
