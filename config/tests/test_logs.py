"""What a log line looks like, and what never gets into one."""

import json
import logging
import logging.config
import threading
from collections.abc import Callable, Iterator

import pytest
from django.http import HttpRequest

from config.logs import OneLiners, bind, bound_ids, logging_config

Lines = Callable[[], list[str]]


@pytest.fixture
def configure(capsys) -> Iterator[Callable[..., Lines]]:
    """Configure logging for real, as settings do, with stderr caught; the loggers are put back afterwards."""
    names = [
        "",
        "django",
        "django.server",
        "django.request",
        "django-q",
        "_granian",
        "granian.access",
        "openai",
        "some.app",
    ]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = [(logger, list(logger.handlers), logger.propagate) for logger, _ in before]
    written: list[str] = []

    def configure(*, level: str = "INFO", json: bool = True) -> Lines:
        logging.config.dictConfig(logging_config(level=level, json=json))
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
    logging.getLogger("django.request").warning("Not Found: %s", "/x/", extra={"status_code": 404, "request": request})
    (line,) = lines()
    assert "404" in line
    assert "canary" not in line
    assert "WSGIRequest" not in line


@pytest.mark.parametrize(
    "name", ["django", "django.server", "django.request", "django-q", "_granian", "granian.access"]
)
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
