"""People enter dollars, micro-dollars are stored, and nothing is rounded."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from config.desk.dollar_field import DollarField
from config.desk.money import plain


@pytest.mark.parametrize(
    ("typed", "micros"),
    [
        ("0.50", 500_000),
        (" 25 ", 25_000_000),
        ("0.000001", 1),
        ("0", 0),
        ("1e2", 100_000_000),
        ("999999999999.999999", 999_999_999_999_999_999),
    ],
)
def test_dollars_are_stored_exactly(typed: str, micros: int) -> None:
    assert DollarField().clean(typed) == micros


def test_nothing_is_none_and_not_nought() -> None:
    assert DollarField(required=False).clean("") is None


@pytest.mark.parametrize("typed", ["-1", "0.0000001", "1000000000000", "NaN", "Infinity", "0,50", "a dollar", ""])
def test_what_cannot_be_stored_exactly_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        DollarField().clean(typed)


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (500_000, "0.50"),
        (0, "0.00"),
        (1, "0.000001"),
        (1_234_500, "1.2345"),
        (9_007_199_254_740_993, "9007199254.740993"),
    ],
)
def test_stored_money_is_shown_as_dollars_and_saving_that_changes_nothing(micros: int, shown: str) -> None:
    field = DollarField()
    assert field.prepare_value(micros) == plain(micros) == shown
    assert field.clean(shown) == micros
    assert not field.has_changed(micros, shown)


@pytest.mark.parametrize(
    ("initial", "typed", "changed"),
    [(500_000, "0.5", False), (500_000, "0.51", True), (None, "", False), (None, "0", True), (0, "", True)],
)
def test_another_amount_is_a_change_and_another_spelling_none(initial: int | None, typed: str, changed: bool) -> None:
    assert DollarField(required=False).has_changed(initial, typed) is changed


@pytest.mark.parametrize("value", ["0.5x", None, Decimal("0.5")])
def test_what_somebody_typed_is_shown_as_it_is(value: Any) -> None:
    assert DollarField().prepare_value(value) == value
