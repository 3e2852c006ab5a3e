import json
import logging
import subprocess
import sys
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from genai_prices.types import Tier, TieredPrices

from usage import prices
from usage.prices import Priced, price_completion
from usage.tests.factories import ModelPriceFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

OPENAI = "https://api.openai.com/v1"
LOCAL = "http://localhost:8080/v1"
TODAY = date(2026, 11, 1)


def price(**changes):
    request = {
        "provider": "openai",
        "base_url": OPENAI,
        "model": "gpt-4o",
        "model_answered": "",
        "input_tokens": 1_000,
        "cached_input_tokens": 400,
        "output_tokens": 100,
        "on": TODAY,
    }
    return price_completion(**{**request, **changes})


def test_the_demo_provider_is_free():
    assert price(provider="demo", model="demo") == Priced(0, {"source": "demo"})


def test_an_own_price_overrides_the_bundled_one():
    ModelPriceFactory.create(model="gpt-4o")
    priced = price()
    assert priced.cost_micros == 600 + 40 + 200
    assert priced.snapshot == {
        "source": "own price from 2026-01-01",
        "input_micros_per_million": 1_000_000,
        "cached_input_micros_per_million": 100_000,
        "output_micros_per_million": 2_000_000,
    }


def test_an_own_price_holds_on_every_server():
    ModelPriceFactory.create(model="llama")
    assert price(model="llama", base_url=LOCAL).cost_micros == 840


@pytest.mark.parametrize(("answered", "expected"), [("answered", 2_520), ("asked", 840), ("", 840), ("other", 840)])
def test_the_model_that_answered_counts_before_the_one_that_was_asked(answered, expected):
    ModelPriceFactory.create(model="asked")
    three = {"input_micros_per_million": 3_000_000, "cached_input_micros_per_million": 300_000}
    ModelPriceFactory.create(model="answered", output_micros_per_million=6_000_000, **three)
    assert price(model="asked", model_answered=answered).cost_micros == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), 1_000),
        (date(2026, 5, 31), 1_000),
        (date(2026, 6, 1), 500),
        (date(2030, 1, 1), 500),
    ],
)
def test_the_newest_own_price_that_was_valid_on_the_day_counts(on, expected):
    ModelPriceFactory.create(model="house")
    ModelPriceFactory.create(model="house", valid_from=date(2026, 6, 1), input_micros_per_million=500_000)
    tokens = {"input_tokens": 1_000, "cached_input_tokens": 0, "output_tokens": 0}
    assert price(model="house", base_url=LOCAL, on=on, **tokens).cost_micros == expected


def test_a_price_costs_one_query_in_thirty_seconds(monkeypatch, django_assert_num_queries):
    now = 1_000.0
    monkeypatch.setattr(prices, "time", SimpleNamespace(monotonic=lambda: now))
    ModelPriceFactory.create(model="house")
    with django_assert_num_queries(1):
        price(model="house")
        price(model="house")
        price()
    ModelPriceFactory.create(model="house", valid_from=date(2026, 6, 1), input_micros_per_million=0)
    now += 29
    assert price(model="house").cost_micros == 840
    now += 2
    assert price(model="house").cost_micros == 240
    ModelPriceFactory.create(model="house", valid_from=date(2026, 7, 1), output_micros_per_million=0)
    prices.forget_prices()
    assert price(model="house").cost_micros == 640


def test_a_bundled_price_is_taken_with_its_rates():
    priced = price()
    snapshot = priced.snapshot
    assert snapshot["source"].startswith("genai-prices ")
    assert (snapshot["provider"], snapshot["model"]) == ("openai", "gpt-4o")
    rates = [snapshot[f"{kind}_micros_per_million"] for kind in ("input", "cached_input", "output")]
    assert all(rates)
    assert priced.cost_micros == round(sum(r * n for r, n in zip(rates, (600, 400, 100), strict=True)) / 1_000_000)
    assert json.loads(json.dumps(snapshot)) == snapshot


def test_the_default_model_has_a_price(settings):
    assert price(model=settings.OPENAI_GPT_MODEL).cost_micros > 0


def test_an_answer_under_a_dated_name_has_the_models_price():
    assert price(model="gpt-4o", model_answered="gpt-4o-2024-08-06").cost_micros == price().cost_micros


def test_an_answer_under_an_unknown_name_has_the_price_of_what_was_asked():
    assert price(model_answered="a-private-alias").cost_micros == price().cost_micros


def test_a_compatible_provider_is_recognised_by_its_address():
    priced = price(model="llama-3.1-8b-instant", base_url="https://api.groq.com/openai/v1")
    assert priced.snapshot["provider"] == "groq"
    assert priced.cost_micros > 0


@pytest.mark.parametrize(
    "unknown",
    [
        {"model": "no-such-model"},
        {"model": "gpt-4o", "base_url": LOCAL},  # the same name on somebody's own server
        {"model": ""},
        {"model": "gpt-transcribe"},  # by the hour: the library's sum for its tokens is 0, which is not what it costs
    ],
)
def test_an_unknown_price_is_none_and_never_zero(unknown):
    assert price(**unknown) == Priced(None, {"source": "unknown"})


def test_more_cached_tokens_than_tokens_cost_no_less_than_nothing():
    assert price(input_tokens=10, cached_input_tokens=500, output_tokens=0).cost_micros >= 0


def test_an_unknown_price_is_said_once_for_each_model(caplog):
    caplog.set_level(logging.INFO, logger="usage")
    for model in ("first", "second", "first"):
        price(model=model)
    said = [(record.message, record.model) for record in caplog.records]
    assert said == [("price_unknown", "first"), ("price_unknown", "second")]


@pytest.mark.parametrize(
    ("tokens", "rate"), [(0, 1_250_000), (200_000, 1_250_000), (200_001, 2_500_000), (500_001, 4_000_000)]
)
def test_the_snapshot_of_a_tiered_price_has_the_rate_that_applied(tokens, rate):
    tiers = [Tier(start=200_000, price=Decimal("2.5")), Tier(start=500_000, price=Decimal(4))]
    assert prices._rate(TieredPrices(base=Decimal("1.25"), tiers=tiers), tokens) == rate


def test_the_bundled_prices_are_not_loaded_before_they_are_needed():
    code = (
        "import sys, django; django.setup(); import usage.prices, usage.admin; sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_written_into_a_cache_costs_what_the_provider_bills_for_it():
    tokens = {"model": "gpt-6-luna", "input_tokens": 2_000, "cached_input_tokens": 0, "output_tokens": 0}
    assert price(**tokens).cost_micros == 200
    written = price(**tokens, cache_write_tokens=1_500)
    # 500 at $0.10 and 1,500 at $0.125 a million, half a micro-dollar rounded up.
    assert written.cost_micros == 238
    assert written.snapshot["cache_write_micros_per_million"] == 125_000


def test_writes_where_no_rate_is_known_for_them_cost_what_other_input_costs():
    ModelPriceFactory.create(model="house")
    for model in ("gpt-4o", "house"):
        assert price(model=model, cache_write_tokens=500) == price(model=model)


def test_more_written_tokens_than_there_were_cost_no_more_than_all_of_them():
    tokens = {"model": "gpt-6-luna", "input_tokens": 2_000, "cached_input_tokens": 400, "output_tokens": 0}
    assert price(**tokens, cache_write_tokens=9_000) == price(**tokens, cache_write_tokens=1_600)


@pytest.mark.parametrize("name", ["house-2-2026-01-01", "house-2-20260101", "house-2@20260101"])
def test_a_dated_name_has_the_operators_price_of_its_model_unless_it_has_one_of_its_own(name):
    def cost():
        prices.forget_prices()
        return price(base_url=LOCAL, model=name, model_answered=name, input_tokens=10**6, output_tokens=0).cost_micros

    ModelPriceFactory.create(model="house-2", input_micros_per_million=70, cached_input_micros_per_million=None)
    assert cost() == 70
    assert prices.has_price(name, LOCAL, TODAY)
    ModelPriceFactory.create(model=name, input_micros_per_million=90, cached_input_micros_per_million=None)
    assert cost() == 90


@pytest.mark.parametrize("name", ["house-2-2026-13-01x", "house-20260101", "house-2-0613", "-2026-01-01", "gpt-6"])
def test_what_only_resembles_a_date_is_part_of_the_name(name):
    expected = "house" if name == "house-20260101" else name
    assert prices.undated(name) == expected
