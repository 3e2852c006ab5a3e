"""Whatever fails on the way: what the provider billed is what is recorded is what the budgets count, to the token."""

from pathlib import Path

import pytest

from bot.tests.system.totals.run import run

pytestmark = [
    pytest.mark.promise(
        "totals", "two workers, faults of model and channel; with a kill: what is missing was in flight"
    ),
    pytest.mark.processes,
]

TURNS = 200


def test_what_was_billed_is_recorded_once_and_counted_for_person_bot_and_everybody(tmp_path: Path) -> None:
    outcome = run(tmp_path, TURNS, seed=11)
    outcome.check()
    assert not outcome.books.unrecorded
    assert min(outcome.ends[f"{cap}BUDGET_EXCEEDED"] for cap in ("", "BOT_", "GLOBAL_")) > 0
    assert outcome.books.billed.total() > TURNS // 3


def test_a_killed_worker_takes_no_more_with_it_than_the_calls_it_waited_for(tmp_path: Path) -> None:
    outcome = run(tmp_path, TURNS, seed=12, kill=True)
    outcome.check()
    assert outcome.in_flight
