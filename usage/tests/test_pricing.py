import pytest

from usage.pricing import Price, cost_micros

PRICE = Price(
    input_micros_per_million=200_000, output_micros_per_million=500_000, cached_input_micros_per_million=20_000
)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ((0, 0, 0), 0),
        ((1_000_000, 0, 0), 200_000),
        ((1_000_000, 1_000_000, 0), 20_000),
        ((0, 0, 1_000_000), 500_000),
        ((1_000, 400, 100), 178),  # 600 * 0.2 + 400 * 0.02 + 100 * 0.5
        ((2, 0, 0), 0),  # 0.4
        ((0, 0, 1), 1),  # 0.5: half up
        ((0, 0, 3), 2),  # 1.5
        ((12, 0, 0), 2),  # 2.4
        ((10, 500, 0), 0),  # more cached than there was: all of it, never less than nothing
        ((10**15, 0, 10**15), 700_000_000_000_000),  # no float loses a micro-dollar
    ],
)
def test_tokens_cost_their_rates_rounded_half_up(tokens, expected):
    assert cost_micros(PRICE, *tokens) == expected


def test_cached_input_without_a_rate_of_its_own_costs_as_much_as_other_input():
    price = Price(input_micros_per_million=200_000, output_micros_per_million=0)
    assert cost_micros(price, 1_000, 400, 0) == 200


def test_cached_input_may_be_free():
    price = Price(200_000, 0, cached_input_micros_per_million=0)
    assert cost_micros(price, 1_000, 400, 0) == 120


@pytest.mark.parametrize("tokens", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_negative_tokens_are_refused(tokens):
    with pytest.raises(ValueError, match="negative"):
        cost_micros(PRICE, *tokens)


def test_the_snapshot_names_the_rates_and_their_source():
    assert Price(1, 2, 3, source="own price").snapshot() == {
        "source": "own price",
        "input_micros_per_million": 1,
        "output_micros_per_million": 2,
        "cached_input_micros_per_million": 3,
    }
