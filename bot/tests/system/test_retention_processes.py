"""A scheduler that was off for days: it purges once, soon after its start, and takes exactly what is due."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.operations.schedules import PURGE_NAME, PURGE_TIME
from bot.tests.support.processes import System, running_system, wait_for

pytestmark = [pytest.mark.promise("purge", "a real scheduler"), pytest.mark.processes]

ZONE = "Asia/Kolkata"
SEED = (
    "from bot.tests.support.retention_samples import *; import json; print(json.dumps([seed(), all_rows(), texts()]))"
)
LOOK = "from bot.tests.support.retention_samples import *; import json; print(json.dumps([all_rows(), texts()]))"
DAYS_AGO = f"""
from datetime import timedelta
from django_q.models import Schedule
schedule = Schedule.objects.get(name={PURGE_NAME!r})
schedule.next_run -= timedelta(days=5)
schedule.save()
"""
NEXT_RUN = (
    f"from django_q.models import Schedule; print(Schedule.objects.get(name={PURGE_NAME!r}).next_run.isoformat())"
)
# What a scheduler that runs writes by itself.
OWN = {"bot.DailyFigures", "bot.Heartbeat", "django_q.OrmQ", "usage.ClosedDay", "usage.UsageDay"}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path, environment={"TIME_ZONE": ZONE}) as running:
        yield running


def told(system: System, command: str) -> Any:
    return json.loads(system.manage("shell", "--verbosity", "0", "--command", command).splitlines()[-1])


def labels(rows: set[str]) -> set[str]:
    return {row.split()[0] for row in rows}


def test_after_days_without_a_scheduler_it_purges_once_and_exactly_what_is_due(system: System) -> None:
    due, before, texts_before = told(system, SEED)
    would = system.manage("cleanup", "--dry-run")
    system.manage("shell", "--verbosity", "0", "--command", DAYS_AGO)
    calls = (
        "SELECT sum(calls) FROM (SELECT calls FROM usage_usageday UNION ALL SELECT 1 FROM usage_usagerecord) AS found"
    )
    ((calls_before,),) = system.rows(calls)
    scheduler = system.start_scheduler()

    wait_for(lambda: "purge_done" in system.log_of(scheduler), "it purges", 120)

    after, texts_after = told(system, LOOK)
    assert set(before) - set(after) == set(due["rows"])
    assert labels(set(after) - set(before)) <= OWN
    assert set(texts_before) - set(texts_after) == set(due["texts"])
    assert len(would.splitlines()) > 15, "every kind of row was due"
    assert system.rows(calls) == [(calls_before,)]
    next_run = datetime.fromisoformat(system.manage("shell", "-v", "0", "-c", NEXT_RUN).strip())
    local = next_run.astimezone(ZoneInfo(ZONE))
    assert timedelta(0) < next_run - datetime.now(UTC) <= timedelta(days=1), "not once for each day that was missed"
    assert local.time() == PURGE_TIME
    assert system.log_of(scheduler).count("purge_done") == 1
    scheduler.terminate()
    assert scheduler.wait(60) == 0
    assert "Nothing" not in would
    assert system.manage("cleanup") == "Deleted nothing: no time is over.\n"
