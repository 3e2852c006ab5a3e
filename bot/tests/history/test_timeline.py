"""A reply's steps in words, drawn to scale."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from bot.history.timeline import draw, lasted
from bot.history.trace import Step

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(ms: int, what: str, /, **facts: Any) -> Step:
    return Step(NOON + timedelta(milliseconds=ms), what, facts)


def test_steps_are_drawn_to_the_scale_of_the_time_until_it_was_sent() -> None:
    lines = draw(
        [
            after(0, "received", kind="text"),
            after(100, "begun", attempt=1),
            after(150, "claimed", ms=50),
            after(900, "completion", ms=750),
            after(905, "completion recorded", model="m", input_tokens=1_000, output_tokens=2, cost_micros="unknown"),
            after(910, "reply stored", parts=1),
            after(950, "sending", part=1, attempt=2),
            after(1_000, "sent", part=1),
            after(61_000, "delivered", part=1),
        ]
    )
    assert [(line.what, line.took, line.start, line.length) for line in lines] == [
        ("Received", "", 0.0, 0.0),
        ("Waited", "100 ms", 0.0, 0.1),
        ("Claimed", "50 ms", 0.1, 0.05),
        ("Model", "750 ms", 0.15, 0.75),
        ("Stored", "10 ms", 0.9, 0.01),
        ("Sending", "", 0.95, 0.0),
        ("Sent", "50 ms", 0.95, 0.05),
        ("Delivered", "60.00 s", 1.0, 0.0),
    ]
    assert [line.detail for line in lines if line.detail] == ["m · 1,000 + 2 tokens · price unknown", "try 2"]


def test_a_call_of_an_attempt_that_came_to_nothing_is_a_step_of_its_own() -> None:
    paid = {"model": "m", "input_tokens": 1, "output_tokens": 2, "cost_micros": 5}
    lines = draw(
        [
            after(0, "received"),
            after(50, "completion recorded", **paid),
            after(100, "begun", attempt=2),
            after(300, "completion", ms=100),
            after(310, "completion recorded", **paid),
            after(320, "reply stored", parts=1),
            after(400, "begun", attempt=3),
        ]
    )
    assert [(line.what, line.took, line.detail) for line in lines] == [
        ("Received", "", ""),
        ("Model, another try", "", "m · 1 + 2 tokens · $0.000005"),
        ("Waited", "100 ms", "try 2"),
        ("Model", "100 ms", "m · 1 + 2 tokens · $0.000005"),
        ("Stored", "20 ms", ""),
        ("Taken up again", "", "try 3"),
    ]


def test_parts_are_told_apart_and_a_stage_without_a_label_is_called_as_it_is() -> None:
    lines = draw([after(0, "received"), after(0, "weather", ms=0), after(0, "sent", part=1), after(0, "sent", part=2)])
    assert [(line.what, line.start, line.length) for line in lines] == [
        ("Received", 0.0, 0.0), ("weather", 0.0, 0.0), ("Sent, part 1", 0.0, 0.0), ("Sent, part 2", 0.0, 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "< 1 ms"), (0, "< 1 ms"), (0.001, "1 ms"), (0.9994, "999 ms"), (1, "1.00 s"), (119.99, "119.99 s"),
        (120, "2 min"), (7_199, "120 min"), (7_200, "2 h"),
    ],
)  # fmt: skip
def test_a_length_of_time_has_the_unit_that_suits_it(seconds: float, shown: str) -> None:
    assert lasted(timedelta(seconds=seconds)) == shown


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    with translation.override("de"):
        assert lasted(timedelta(seconds=1.25)) == "1,25 s"
