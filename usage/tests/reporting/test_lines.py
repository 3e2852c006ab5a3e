"""The sums behind the report, at the borders of days and of days long ago."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db.models import Sum

from usage.models import DailySpend, UsageDay, UsageRecord
from usage.reporting.question import NOBODY, By
from usage.retention import cleanup_old_usage_metrics
from usage.spending import Changes
from usage.tests.usages import NOON, added, answer, call, costs
from users.models import User
from users.tests.factories import bob

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]


def test_a_day_is_what_the_repository_and_the_budgets_say_it_is(people: tuple[User, User]) -> None:
    changes = Changes()
    for record in UsageRecord.objects.all():
        changes.add(record.user_id, record.bot, record.created_at.date(), spent=record.cost_micros or 0)
    DailySpend.objects.apply(changes)
    for row in answer(by="day").rows:
        total = UsageRecord.objects.get_global_daily_total(date.fromisoformat(row.key))
        sums = row.sums
        assert (sums.input_tokens, sums.output_tokens) == (total.input_tokens, total.output_tokens)
        assert (sums.cost_micros, sums.answers, sums.unpriced) == (total.cost_micros, total.completions, total.unpriced)
        spends = DailySpend.objects.filter(day=row.key)
        assert spends.get(user=None, bot="").spent_micros == sums.cost_micros
        assert dict(spends.exclude(bot="").values_list("bot", "spent_micros")) == costs(answer(day=row.key, by="bot"))
        of_people = {str(pk): spent for pk, spent in spends.exclude(user=None).values_list("user", "spent_micros")}
        shown = costs(answer(day=row.key, by="person"))
        assert {key: cost for key, cost in shown.items() if key != str(NOBODY)} == of_people


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("UTC", "2026-03-10 23:59:59", "2026-03-10"),
        ("Asia/Kolkata", "2026-03-10 18:29:59", "2026-03-10"),
        ("Asia/Kolkata", "2026-03-10 18:30", "2026-03-11"),
        ("America/Los_Angeles", "2026-03-10 06:59", "2026-03-09"),
        ("America/Los_Angeles", "2026-03-10 07:00", "2026-03-10"),
        # The night of the clocks: the day of 23 hours begins at 5, the next one at 4.
        ("America/Havana", "2026-03-08 04:59", "2026-03-07"),
        ("America/Havana", "2026-03-08 05:00", "2026-03-08"),
        ("America/Havana", "2026-03-09 03:59", "2026-03-08"),
    ],
)
@pytest.mark.parametrize("by", ["day", "person"])
def test_a_call_counts_on_its_day_in_the_operators_time_zone(
    settings: pytest.FixtureRequest, zone: str, moment: str, expected: str, by: str
) -> None:
    settings.TIME_ZONE = zone  # type: ignore[attr-defined]
    call(bob(), 0, 7)
    UsageRecord.objects.update(created_at=datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert list(answer(by=by).by("day")) == [expected]
    assert answer(day=expected, by=by).total.sums.cost_micros == 7
    assert answer(from_=expected, to=expected, by=by).total.sums.cost_micros == 7
    for away in (-1, 1):
        other = date.fromisoformat(expected) + timedelta(days=away)
        assert answer(from_=other, to=other, by=by).total.sums.cost_micros == 0


def test_another_time_zone_has_other_days_also_where_they_were_closed(settings: pytest.FixtureRequest) -> None:
    call(bob(), 0, 7)
    UsageRecord.objects.update(created_at=datetime(2026, 3, 10, 20, tzinfo=UTC))
    assert costs(answer(by="day")) == {"2026-03-10": 7}
    settings.TIME_ZONE = "Asia/Kolkata"  # type: ignore[attr-defined]
    assert costs(answer(by="day")) == {"2026-03-11": 7}


def test_days_whose_records_are_folded_stay_in_every_total_as_usage_of_nobody(people: tuple[User, User]) -> None:
    anna, ben = people
    before = {by: answer(by=by, days=60) for by in By}
    cleanup_old_usage_metrics(10)
    assert UsageDay.objects.aggregate(sum=Sum("calls"))["sum"] == 3
    for by, was in before.items():
        found = answer(by=by, days=60)
        assert found.total.sums == was.total.sums == added(found.rows)
        assert found.total.folded == 3
        if by is not By.PERSON:
            assert costs(found) == costs(was)
    assert costs(answer(by="person", days=60)) == {str(anna.pk): 330, str(ben.pk): 3_000, str(NOBODY): 954_000}
    assert costs(answer(by="bot", person=NOBODY, days=60)) == {"shop": 950_000, "desk": 4_000}
    assert answer(by="day", person=anna.pk, days=60).total.sums.cost_micros == 330
    folded = {row.key: row.folded for row in answer(by="day", days=60).rows}
    assert folded == {
        "2026-03-20": 0, "2026-03-19": 0, "2026-03-15": 0, "2026-03-08": 1, "2026-02-19": 1, "2026-02-18": 1,
    }  # fmt: skip


def test_a_day_that_is_folded_in_part_is_counted_once() -> None:
    for hours in (1, 2, 3):
        UsageRecord.objects.create(
            model="m", input_tokens=1, output_tokens=1, cost_micros=1, created_at=NOON - timedelta(days=30, hours=hours)
        )
    assert costs(answer(days=60)) == {"2026-02-18": 3}
    with time_machine.travel(NOON - timedelta(hours=2, minutes=30), tick=False):
        assert cleanup_old_usage_metrics(30) == 1
    assert costs(answer(days=60)) == {"2026-02-18": 3}
    assert answer(days=60).rows[0].folded == 1
