"""Take turns: each round begins with another one, so that nobody always comes right after the same."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def rotated(items: Sequence[Item], number: int) -> list[Item]:
    """Return the items in the order of a round."""
    first = number % len(items)
    return [*items[first:], *items[:first]]
