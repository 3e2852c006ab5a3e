"""Every promise has a test that says so, and docs/reliability.md tells which."""

from bot.tests.support.promises import DOC, PROMISES, shown, written


def test_each_promise_is_shown_by_a_test_and_no_test_shows_what_is_not_promised() -> None:
    assert {mark.promise for mark in shown()} == set(PROMISES)


def test_the_table_is_the_one_that_the_tests_make() -> None:
    document = DOC.read_text(encoding="utf-8")
    assert written(document) == document, "python -m bot.tests.support.promises writes it"
