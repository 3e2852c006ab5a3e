"""One reading of ids that come from outside."""

import pytest

from config.desk.ids import LARGEST_ID, read_id


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("0", 0), ("007", 7), (str(LARGEST_ID), LARGEST_ID)],
)
def test_digits_are_an_id(text, number):
    assert read_id(text) == number


@pytest.mark.parametrize(
    "text", ["", " 7", "-1", "+1", "1.5", "x", "٣", "²", "1_0", "\x00", str(LARGEST_ID + 1), "9" * 19, "9" * 5_000]
)
def test_what_no_key_can_be_is_no_id(text):
    assert read_id(text) is None
