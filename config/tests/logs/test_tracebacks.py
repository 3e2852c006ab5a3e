"""A traceback says which and where, and not what exceptions say."""

import logging
import logging.config
import sys

import pytest

from config.logs.lines import JsonLines, OneLiners


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
