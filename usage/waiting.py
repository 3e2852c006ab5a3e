"""Records without a cost, by model: how many there are, since when, and whether a price would give them one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from usage.days import day_start
from usage.models import ModelPrice
from usage.prices import with_undated
from usage.repricing import waiting_records

# What an admin's request may look at: where a model at home has no price, every record is without a cost.
LOOKED_AT = 10_000


@dataclass(slots=True)
class Waiting:
    """The records of a model, as it was asked for, among the newest without a cost. has_price: it has got one since."""

    model: str
    records: int
    first_day: date
    has_price: bool = False


def unpriced_models() -> tuple[list[Waiting], bool]:
    """Return the models of the newest records without a cost, the most used first; and whether there are older ones.

    Two queries.
    """
    zone = timezone.get_default_timezone()
    found: dict[str, Waiting] = {}
    newest = list(waiting_records().order_by("-pk")[:LOOKED_AT].values_list("model", "created_at"))
    for model, created in newest:
        day = created.astimezone(zone).date()
        waiting = found.setdefault(model, Waiting(model, 0, day))
        waiting.records += 1
        waiting.first_day = min(waiting.first_day, day)
    priced = set(ModelPrice.objects.filter(model__in=with_undated(found)).values_list("model", flat=True))
    for waiting in found.values():
        waiting.has_price = not priced.isdisjoint(with_undated((waiting.model,)))
    return sorted(found.values(), key=lambda one: (-one.records, one.model)), len(newest) == LOOKED_AT


def waiting_for(prices: Collection[ModelPrice]) -> tuple[dict[str, int], bool]:
    """Return how many of the newest records without a cost prices would give one, by their models; as above.

    A record waits for the price of the model that was asked or that answered, from the day on when it counts.
    """
    since = {price.model: day_start(price.valid_from) for price in sorted(prices, key=lambda one: one.valid_from)[::-1]}
    counts = dict.fromkeys(since, 0)
    newest = list(waiting_records().order_by("-pk")[:LOOKED_AT].values_list("model_answered", "model", "created_at"))
    for answered, asked, created in newest:
        for model in with_undated((answered, asked)):
            if model in since and created >= since[model]:
                counts[model] += 1
                break
    return counts, len(newest) == LOOKED_AT
