"""Moving windows in memory: what is in one, when there is room again, and that memory is bounded."""

from typing import Any

import pytest

from bot.pipeline.moving_window import SWEEP_SECONDS, MovingWindows

NOW = 1_900_000_000


@pytest.fixture
def windows(time_machine: Any) -> MovingWindows:
    time_machine.move_to(NOW, tick=False)
    return MovingWindows()


def test_a_window_moves_with_its_hits(windows: MovingWindows, time_machine: Any) -> None:
    assert windows.hit("a", 2, 1)
    time_machine.shift(20)
    assert windows.hit("a", 2, 1)
    time_machine.shift(40)
    assert not windows.hit("a", 2, 1), "a minute later to the second the first still counts, as in Redis"
    time_machine.shift(0.1)
    assert [windows.hit("a", 2, 1), windows.hit("a", 2, 1)] == [True, False], "the first has left, the second has not"


def test_what_is_refused_is_not_counted(windows: MovingWindows) -> None:
    assert windows.hit("a", 3, 1, cost=2)
    assert not windows.hit("a", 3, 1, cost=2)
    assert windows.hit("a", 3, 1)
    assert not windows.hit("b", 3, 1, cost=4)
    assert windows.hit("b", 3, 1, cost=3)


def test_room_comes_when_the_oldest_hit_leaves(windows: MovingWindows, time_machine: Any) -> None:
    assert windows.stats("a", 2, 1) == (NOW + 60, 2)
    windows.hit("a", 2, 1)
    time_machine.shift(10)
    windows.hit("a", 2, 1)
    assert windows.stats("a", 2, 1) == (NOW + 60, 0)
    time_machine.shift(51)
    assert windows.stats("a", 2, 1) == (NOW + 70, 1)


def test_keys_limits_and_lengths_are_counted_apart(windows: MovingWindows, time_machine: Any) -> None:
    for key, most, minutes in (("a", 1, 1), ("b", 1, 1), ("a", 2, 1), ("a", 1, 60)):
        assert windows.hit(key, most, minutes)
    time_machine.shift(61)
    assert windows.hit("a", 1, 1)
    assert not windows.hit("a", 1, 60)


def test_the_memory_is_swept_once_a_minute_and_not_at_every_hit(windows: MovingWindows, time_machine: Any) -> None:
    for number in range(50):
        windows.hit(f"person {number}", 5, 1)
    windows.hit("for an hour", 5, 60)
    windows._swept_at += 3_600
    time_machine.shift(61)
    windows.hit("somebody", 5, 1)
    assert len(windows) == 52
    windows._swept_at -= 3_600 + SWEEP_SECONDS + 61
    windows.hit("somebody", 5, 1)
    assert len(windows) == 2


def test_who_is_refused_or_only_looked_at_takes_no_memory(windows: MovingWindows) -> None:
    assert not windows.hit("a", 1, 1, cost=2)
    windows.stats("b", 1, 1)
    assert len(windows) == 0
