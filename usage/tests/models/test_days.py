"""The sums of a day are those of its records, and add up."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from usage.days import KEYS, SUMS
from usage.models import UsageDay, UsageRecord
from usage.reporting.lines import details
from usage.reporting.question import last_days
from usage.retention import cleanup_old_usage_metrics
from usage.tests.factories import UsageRecordFactory
from usage.totals import Totals
from users.tests.factories import bob

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.promise("folding")]

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAYS = 60


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def test_a_day_that_is_folded_in_two_parts_is_one_row_and_one_line():
    for hours in (1, 2, 3):
        UsageRecordFactory.create(user=None, bot="shop", created_at=NOON - timedelta(days=30, hours=hours))
    with time_machine.travel(NOON - timedelta(hours=2, minutes=30), tick=False):
        assert cleanup_old_usage_metrics(30) == 1
    (line,) = details(last_days(DAYS))
    assert line.sums.calls == 3
    assert cleanup_old_usage_metrics(30) == 2
    assert [*details(last_days(DAYS))] == [line]
    assert UsageDay.objects.get().calls == 3


def test_the_sums_of_a_day_are_those_of_its_records():
    noon = {"user": bob(), "bot": "shop", "model": "m", "created_at": NOON - timedelta(days=40)}
    UsageRecordFactory.create(**noon, input_tokens=5, cached_input_tokens=2, output_tokens=3, cost_micros=7)
    UsageRecordFactory.create(**noon, input_tokens=1, cached_input_tokens=1, output_tokens=1, cost_micros=None)
    UsageRecordFactory.create(**noon, kind="transcription", input_tokens=4, output_tokens=0, cost_micros=0)
    cleanup_old_usage_metrics(30)
    assert sorted(UsageDay.objects.values_list(*KEYS, *SUMS)) == [
        (date(2026, 1, 29), "shop", "completion", "m", 2, 6, 3, 4, 7, 1),
        (date(2026, 1, 29), "shop", "transcription", "m", 1, 4, 0, 0, 0, 0),
    ]
    assert UsageRecord.objects.get_global_daily_total(date(2026, 1, 29)) == Totals(10, 4, 7, completions=2, unpriced=1)
    total = UsageRecord.objects.get_global_daily_total(date(2026, 1, 29))
    assert {type(amount) for amount in (total.input_tokens, total.cost_micros, total.completions)} == {int}
