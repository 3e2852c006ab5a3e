"""The form of granian's own lines."""

import inspect
import logging

from granian.server import mp

from config.server_logs import KnownAdvice


def test_granians_advice_about_threads_is_left_out_and_nothing_else():
    advice = "Configuration allows spawning up to 512 Python threads, which seems quite high compared to the number of"
    lines = [logging.makeLogRecord({"msg": text}) for text in (advice, "Listening at: http://127.0.0.1:3000")]
    assert [KnownAdvice().filter(line) for line in lines] == [False, True]
    assert "Python threads" in inspect.getsource(mp), "granian says it otherwise now"
