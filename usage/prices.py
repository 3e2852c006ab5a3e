"""Find the price of a completion: the operator's own rows first, then the prices bundled with genai-prices."""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from config.desk.money import MICROS
from usage.pricing import Price, cost_micros

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation, TieredPrices

logger = logging.getLogger(__name__)

# Long enough that a turn costs no query for it, short enough that an operator's change shows while they watch.
CACHE_SECONDS = 30.0
# How providers write the date of a version behind a model's name: -2026-01-01, -20260101, @20260101.
_DATE = re.compile(r"(?<=.)(-20\d\d-[01]\d-[0-3]\d|[-@]20\d\d[01]\d[0-3]\d)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Priced:
    """The cost of one completion, None when no price is known, and the snapshot of the price it was computed with."""

    cost_micros: int | None
    snapshot: dict[str, Any] = field(default_factory=dict)


def price_completion(
    *,
    provider: str,
    base_url: str,
    model: str,
    model_answered: str,
    input_tokens: int,
    cached_input_tokens: int,
    output_tokens: int,
    on: date,
    cache_write_tokens: int = 0,
) -> Priced:
    """Return what a completion costs by the prices of a day.

    input_tokens includes what was read from the provider's cache (cached_input_tokens) and written into it
    (cache_write_tokens), which some providers bill above other input. Own prices have no rate for writes: they cost
    what other input costs.

    Sources, in order: the newest ModelPrice row of the model that answered, then of the model asked; the bundled prices
    of the provider at base_url, for the same two names. A dated name without a row of its own has that of the model
    which it is a version of. The demo provider is free. At most one query in 30 seconds.
    """
    if provider == "demo":
        return Priced(0, {"source": "demo"})
    names = tuple(dict.fromkeys(name for name in (model_answered, model) if name))
    if (price := _own_price(names, on)) is not None:
        return Priced(cost_micros(price, input_tokens, cached_input_tokens, output_tokens), price.snapshot())
    for name in with_undated(names):
        priced = _bundled(name, base_url, input_tokens, cached_input_tokens, output_tokens, on, cache_write_tokens)
        if priced is not None:
            return priced
    _say_once(model)
    return Priced(None, {"source": "unknown"})


def has_price(model: str, base_url: str, on: date) -> bool:
    """Return whether the price of a model's answers is known, for the provider at base_url and on a day."""
    bundled = (_bundled(name, base_url, 1, 0, 1, on) for name in with_undated((model,)))
    return _own_price((model,), on) is not None or any(found is not None for found in bundled)


def bundled_price(model: str, base_url: str, on: date) -> Price | None:
    """Return what a model costs by the bundled prices for the provider at base_url on a day, or None.

    The rates are those of a short prompt. The first call of a process loads the bundled prices: 25 MB and 0.2 s.
    """
    bundled = (_bundled(name, base_url, 1, 0, 1, on) for name in with_undated((model,)))
    found = next((one for one in bundled if one is not None), None)
    if found is None:
        return None
    rates = found.snapshot
    return Price(
        input_micros_per_million=rates["input_micros_per_million"],
        output_micros_per_million=rates["output_micros_per_million"],
        cached_input_micros_per_million=rates["cached_input_micros_per_million"],
        source=rates["source"],
    )


def forget_prices() -> None:
    """Read the ModelPrice rows again at the next completion, because they changed."""
    _own_prices.forget()


def undated(model: str) -> str:
    """Return the model that a name with a date is a version of (gpt-6-luna-2026-01-01); other names as they are."""
    return _DATE.sub("", model)


def with_undated(names: Iterable[str]) -> tuple[str, ...]:
    """Return names, and behind them the models that dated ones are versions of, each once."""
    names = tuple(names)
    return tuple(dict.fromkeys((*names, *map(undated, names))))


def _own_price(names: tuple[str, ...], on: date) -> Price | None:
    """Return the operator's price of the first of these names that has one, those with their dates first."""
    prices = (_own_prices.find(name, on) for name in with_undated(names))
    return next((price for price in prices if price is not None), None)


class _OwnPrices:
    """The ModelPrice rows, read again when they are 30 seconds old. An operator has few: all are kept."""

    def __init__(self) -> None:
        self._by_model: dict[str, list[tuple[date, Price]]] = {}
        self._read_at: float | None = None

    def find(self, model: str, on: date) -> Price | None:
        """Return the newest price of exactly this model that was valid on a day."""
        if self._read_at is None or time.monotonic() - self._read_at > CACHE_SECONDS:
            self._by_model, self._read_at = self._read(), time.monotonic()
        return next((price for valid_from, price in self._by_model.get(model, ()) if valid_from <= on), None)

    def forget(self) -> None:
        """Read the rows again at the next find()."""
        self._read_at = None

    def _read(self) -> dict[str, list[tuple[date, Price]]]:
        from usage.models import ModelPrice

        by_model: dict[str, list[tuple[date, Price]]] = defaultdict(list)
        for row in ModelPrice.objects.order_by("-valid_from"):
            by_model[row.model].append((row.valid_from, row.as_price()))
        return dict(by_model)


_own_prices = _OwnPrices()
_said: set[str] = set()
# What the bundled prices were found not to know, and on which day: looking through them all takes a while.
_not_bundled: dict[tuple[str, str], date] = {}


def _say_once(model: str) -> None:
    """Log that a model has no price: once in each process, because every turn of its bots would say it."""
    if model not in _said:
        _said.add(model)
        logger.warning("price_unknown", extra={"model": model})


def _bundled(
    model: str,
    base_url: str,
    input_tokens: int,
    cached_input_tokens: int,
    output_tokens: int,
    on: date,
    cache_write_tokens: int = 0,
) -> Priced | None:
    """Return the price genai-prices knows for the provider at base_url, or None."""
    if _not_bundled.get((model, base_url)) == on:
        return None
    # 25 MB and 0.2 s, which only processes that run turns have a use for.
    from genai_prices import Usage, calc_price

    cached = min(cached_input_tokens, input_tokens)
    usage = Usage(
        input_tokens=input_tokens,
        cache_read_tokens=cached,
        cache_write_tokens=min(cache_write_tokens, input_tokens - cached),
        output_tokens=output_tokens,
    )
    when = datetime.combine(on, time_of_day(12), tzinfo=UTC)
    try:
        found = calc_price(usage, model, provider_api_url=base_url, genai_request_timestamp=when)
    except LookupError:
        _not_bundled[model, base_url] = on
        return None
    rates = found.model_price
    # Models billed by the hour have no rate for tokens: the library's sum of 0 does not mean that they are free.
    if (input_tokens and rates.input_mtok is None) or (output_tokens and rates.output_mtok is None):
        return None
    return Priced(_micros(found.total_price), _bundled_snapshot(found, input_tokens))


def _bundled_snapshot(found: "PriceCalculation", input_tokens: int) -> dict[str, Any]:
    from genai_prices import __version__

    rates = found.model_price
    return {
        "source": f"genai-prices {__version__}",
        "provider": found.provider.id,
        "model": found.model.id,
        "input_micros_per_million": _rate(rates.input_mtok, input_tokens),
        "cached_input_micros_per_million": _rate(rates.cache_read_mtok, input_tokens),
        "cache_write_micros_per_million": _rate(rates.cache_write_mtok, input_tokens),
        "output_micros_per_million": _rate(rates.output_mtok, input_tokens),
    }


def _rate(price: "Decimal | TieredPrices | None", input_tokens: int) -> int | None:
    """Return the rate that applied: some models cost more per token from a length of input on."""
    if price is None or isinstance(price, Decimal):
        return None if price is None else _micros(price)
    reached = [tier.price for tier in price.tiers if input_tokens > tier.start]
    return _micros(reached[-1] if reached else price.base)


def _micros(dollars: Decimal) -> int:
    return int((dollars * MICROS).to_integral_value(rounding=ROUND_HALF_UP))
