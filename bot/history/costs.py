"""Costs of turns, as one line for staff."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from bot.language import grouped
from config.desk.money import exact
from usage.models import UsageRecord

# Bound between a completion and its stored reply; a turn's deadline is much shorter.
LONGEST_TURN = timedelta(hours=1)


def cost_line(records: Sequence[UsageRecord]) -> str:
    """Return the total of a turn's calls: the model that answered, tokens in + out, dollars."""
    prices = [record.cost_micros for record in records]
    known = [price for price in prices if price is not None]
    return call_line(
        records[-1].model_answered or records[-1].model,
        sum(record.input_tokens for record in records),
        sum(record.output_tokens for record in records),
        sum(known) if len(known) == len(prices) else None,
    )


def call_line(model: str, input_tokens: int, output_tokens: int, cost_micros: int | None) -> str:
    """Return one line of a call's model, tokens and cost; a cost of None is unknown."""
    return _("%(model)s · %(input)s + %(output)s tokens · %(cost)s") % {
        "model": model,
        "input": grouped(input_tokens),
        "output": grouped(output_tokens),
        "cost": _("price unknown") if cost_micros is None else exact(cost_micros),
    }
