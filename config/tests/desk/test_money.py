"""Amounts of micro-dollars are written in few ways, and none of them loses a digit that it promises."""

import pytest

from config.desk.money import column, decimal, exact, plain, short


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "$0.00"),
        (1_234_567_890, "$1,234.57"),
        (10_000, "$0.01"),
        (1_268, "$0.001268"),
        (99_999, "$0.099999"),
        (100_000, "$0.10"),
        (42, "$0.000042"),
    ],
)
def test_money_at_a_glance(micros: int, text: str) -> None:
    assert short(micros) == text


@pytest.mark.parametrize(
    ("micros", "in_column", "as_exact", "in_file", "entered"),
    [
        (0, "$0.000000", "$0.00", "0.000000", "0.00"),
        (1, "$0.000001", "$0.000001", "0.000001", "0.000001"),
        (1_234_567_890, "$1,234.567890", "$1,234.56789", "1234.567890", "1234.56789"),
        (-1_500_000, "-$1.500000", "-$1.50", "-1.500000", "-1.50"),
        (9_007_199_254_740_993, "$9,007,199,254.740993", "$9,007,199,254.740993", "9007199254.740993",
         "9007199254.740993"),
    ],
)  # fmt: skip
def test_money_with_every_digit(micros: int, in_column: str, as_exact: str, in_file: str, entered: str) -> None:
    assert (column(micros), exact(micros), decimal(micros), plain(micros)) == (in_column, as_exact, in_file, entered)
