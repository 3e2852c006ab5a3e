"""Which share of a budget is used."""

import pytest

from usage.standing import Standing, reached


@pytest.mark.parametrize(
    ("spent", "reserved", "refused", "share"),
    [
        (0, 0, False, None),
        (49, 0, False, None),
        (50, 0, False, 50),
        (79, 0, False, 50),
        (80, 0, False, 80),
        (99, 0, False, 80),
        (100, 0, False, 100),
        (250, 0, False, 100),
        # what is reserved does not count: most of it comes back
        (0, 100, False, None),
        (79, 21, True, 50),
        # too small for a call, and nothing that would come back
        (99, 0, True, 100),
        (80, 0, True, 100),
        (99, 1, True, 80),
        # a call that was larger than most of the budget
        (10, 0, True, None),
    ],
)
def test_the_share_that_is_reached_is_the_highest(spent: int, reserved: int, refused: bool, share: int | None) -> None:
    assert reached(Standing(100, spent, reserved), refused=refused) == share


def test_a_budget_of_nothing_has_no_shares() -> None:
    assert reached(Standing(0, 5), refused=True) is None
