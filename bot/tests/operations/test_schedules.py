"""What runs by itself: which function a schedule calls, and what becomes of a part of the minute's task that fails."""

from collections.abc import Callable

import pytest
from django_q.models import Schedule

from bot.operations import schedules

pytestmark = pytest.mark.django_db

STEPS = ["beat_of_scheduler", "raise_alerts", "release_abandoned_reservations", "fold_minute"]


def test_a_schedule_of_an_earlier_version_calls_todays_function_after_migrate_and_keeps_its_times() -> None:
    Schedule.objects.all().delete()
    Schedule.objects.create(
        name="watch budgets", func="bot.operations.schedules.watch_budgets", schedule_type="I", minutes=5
    )

    schedules.ensure_schedules_after_migrate("default")

    row = Schedule.objects.get(name="watch budgets")
    assert (row.func, row.minutes) == ("bot.operations.schedules.every_minute", 5)


@pytest.mark.parametrize("broken", STEPS)
def test_a_step_of_the_minute_that_fails_is_logged_under_its_name_and_the_others_are_done(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = []

    def step(name: str) -> Callable[[], None]:
        def work() -> None:
            if name == broken:
                raise RuntimeError
            done.append(name)

        work.__name__ = name
        return work

    for name in STEPS:
        monkeypatch.setattr(schedules, name, step(name))
    schedules.every_minute()

    assert done == [name for name in STEPS if name != broken]
    (record,) = [vars(record) for record in caplog.records if record.message == "minute_task_failed"]
    assert record["step"] == broken
