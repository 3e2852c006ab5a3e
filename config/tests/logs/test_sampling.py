"""A fault that repeats is a few lines and a count; stories of messages are complete."""

import json
import logging
import subprocess
import sys
import threading
from io import StringIO

import pytest

from config.logs.context import bind
from config.logs.lines import JsonLines
from config.logs.sampling import FIRST, SampledHandler, Sampler

pytestmark = pytest.mark.promise("log")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def handler(clock) -> SampledHandler:
    handler = SampledHandler(Sampler(clock=clock))
    handler.setFormatter(JsonLines())
    handler.setStream(StringIO())
    return handler


@pytest.fixture
def logger(handler) -> logging.Logger:
    logger = logging.Logger("bot.sampled")  # noqa: LOG001 (its own in each test)
    logger.addHandler(handler)
    return logger


def lines(handler: SampledHandler) -> list[dict]:
    return [json.loads(line) for line in handler.stream.getvalue().splitlines()]


def test_a_fault_repeated_a_thousand_times_is_a_few_lines_and_a_count(handler, logger, clock):
    for _ in range(1_000):
        logger.error("turn_failed", extra={"code": "OPENAI_API_ERROR"})
    assert len(lines(handler)) == FIRST
    clock.now += 61
    logger.warning("something_else")
    *first, count, other = lines(handler)
    assert len(first) == FIRST
    assert (count["event"], count["code"], count["level"]) == ("turn_failed", "OPENAI_API_ERROR", "ERROR")
    assert count["repeated"] == 1_000 - FIRST
    assert other["event"] == "something_else"


def test_after_its_minute_a_fault_is_logged_again(handler, logger, clock):
    for _ in range(2):
        logger.error("claim_failed")
        clock.now += 61
    assert [line["event"] for line in lines(handler)] == ["claim_failed"] * 2


@pytest.mark.parametrize("difference", [{"code": "B"}, {"error": "B"}, {"bot": "b"}, {"reason": "B"}, {"percent": 80}])
def test_different_faults_do_not_swallow_each_other(handler, logger, difference):
    for _ in range(10):
        logger.error("turn_failed", extra={"code": "A", "bot": "a"})
    logger.error("turn_failed", extra={"code": "A", "bot": "a", **difference})
    logger.warning("turn_failed", extra={"code": "A", "bot": "a"})
    assert len(lines(handler)) == FIRST + 2


def test_faults_of_two_bots_are_told_apart_by_what_is_bound(handler, logger):
    for bot in ("shop", "desk"):
        with bind(bot=bot):
            for _ in range(10):
                logger.error("turn_failed")
    handler.tell_counts()
    counts = [line for line in lines(handler) if "repeated" in line]
    assert [(line["bot"], line["repeated"]) for line in counts] == [("shop", 10 - FIRST), ("desk", 10 - FIRST)]


def test_stories_are_never_left_out(handler, logger):
    for _ in range(1_000):
        logger.info("message_sent")
        logger.debug("delivery_status")
    assert len(lines(handler)) == 2_000


def test_a_count_carries_no_ids_of_what_happens_to_be_done_when_it_is_written(handler, logger, clock):
    with bind(turn_id=1):
        for _ in range(10):
            logger.error("turn_failed")
    clock.now += 61
    with bind(turn_id=2):
        logger.error("turn_crashed")
    (count,) = [line for line in lines(handler) if "repeated" in line]
    assert "turn_id" not in count


def test_counts_are_written_when_the_process_stops(handler, logger):
    for _ in range(10):
        logger.error("claim_failed")
    handler.tell_counts()
    handler.tell_counts()
    assert [line.get("repeated") for line in lines(handler)] == [None] * FIRST + [10 - FIRST]


def test_a_count_is_written_although_nothing_else_is_logged(logger):
    handler = SampledHandler(Sampler(window=0.2))
    handler.setFormatter(JsonLines())
    handler.setStream(StringIO())
    logger.handlers[:] = [handler]
    for _ in range(10):
        logger.error("claim_failed")
    assert handler._timer is not None
    handler._timer.join(5)
    assert lines(handler)[-1]["repeated"] == 10 - FIRST


def test_memory_is_bounded_and_what_makes_room_is_counted(clock):
    sampler = Sampler(first=1, most_kinds=10, clock=clock)

    def admit(number: int) -> tuple[bool, list[logging.LogRecord]]:
        return sampler.admit(
            logging.makeLogRecord({"name": "a", "levelno": logging.ERROR, "msg": "b", "code": str(number)})
        )

    admit(0)
    assert admit(0) == (False, [])
    told = [record for number in range(1, 1_000) for record in admit(number)[1]]
    assert len(sampler._kinds) == 10
    assert [(vars(record)["code"], vars(record)["repeated"]) for record in told] == [("0", 1)]


def test_nothing_is_lost_or_counted_twice_among_many_threads(handler, logger):
    def fail(code: str) -> None:
        for _ in range(500):
            logger.error("turn_failed", extra={"code": code})

    threads = [threading.Thread(target=fail, args=(f"CODE_{number % 4}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.tell_counts()
    for number in range(4):
        mine = [line for line in lines(handler) if line["code"] == f"CODE_{number}"]
        assert len(mine) == FIRST + 1
        assert sum(line.get("repeated", 1) for line in mine) == 2_000


def test_a_forked_process_does_not_tell_its_parents_counts(handler, logger):
    for _ in range(10):
        logger.error("claim_failed")
    handler._begin_anew()
    handler.tell_counts()
    assert len(lines(handler)) == FIRST


PROGRAM = """
import logging, multiprocessing
from config.logs.configuration import configure, logging_config

def fail(times):
    for _ in range(times):
        logging.getLogger("bot.sampled").error("claim_failed")

if __name__ == "__main__":
    configure(logging_config(level="INFO", json=True))
    fail(10)
    child = multiprocessing.get_context("fork").Process(target=fail, args=(20,))
    child.start()
    child.join()
"""


@pytest.mark.processes
def test_a_process_and_its_forked_child_each_tell_their_own_counts_when_they_end():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    told = [json.loads(line).get("repeated") for line in done.stderr.splitlines()]
    assert told == [None] * FIRST + [None] * FIRST + [20 - FIRST, 10 - FIRST]
