"""Which loggers write what, through one handler."""

import json
import logging
import logging.config
import subprocess
import sys

import pytest


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
