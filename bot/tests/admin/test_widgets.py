"""Small pieces of the admin's pages: texts are escaped, addresses masked, and times told by how long ago they were."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from bot.admin.widgets import ago, chip, copyable, masked

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "shown"),
    [("+4915112345678", "+49…78"), ("DE.13491208655302741918", "DE.…18"), ("abcdef", "abcdef"), ("abcdefg", "abc…fg")],
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_texts_are_escaped() -> None:
    assert "&lt;b&gt;" in chip("<b>", "bad") and "<b>" not in chip("<b>", "bad")
    assert "<b>" not in copyable("<b>")


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1\xa0minute ago"),
        (timedelta(hours=30), "1\xa0day ago"),
        (-timedelta(hours=2), "in 2\xa0hours"),
    ],
)
def test_a_moment_is_told_by_how_long_ago_it_was(passed: timedelta, words: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert f">{words}</time>" in ago(NOW - passed)
    assert ago(None) == "–"
