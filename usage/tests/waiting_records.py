"""Records that wait for a price."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django.core.management import call_command

from usage.models import DailySpend, UsageRecord
from usage.tests.factories import UsageRecordFactory
from users.models import User

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def waiting(user: User | None = None, *, counted: int | None = 11_000, bot: str = "shop", **fields: Any) -> UsageRecord:
    """Make a record without a cost that budgets counted as `counted`, and count it in its spends."""
    moment = fields.get("created_at", NOON)
    record: UsageRecord = UsageRecordFactory.create(
        **{
            "model": "house-model",
            "input_tokens": 1_000,
            "cached_input_tokens": 400,
            "output_tokens": 100,
            "created_at": moment,
            "budget_day": moment.date(),
            "cost_micros": None,
            "price": {"source": "unknown"},
            **fields,
        },
        user=user,
        bot=bot,
        budget_micros=counted,
    )
    if counted is not None:
        for owner, slug in {(user, ""), (None, bot), (None, "")}:
            spend, _ = DailySpend.objects.get_or_create(user=owner, bot=slug, day=moment.date())
            DailySpend.objects.filter(pk=spend.pk).update(spent_micros=spend.spent_micros + counted)
    return record


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reprice", *arguments, stdout=out)
    return out.getvalue()
