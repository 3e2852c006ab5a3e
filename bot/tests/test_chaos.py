"""The long run's tool, in a run of seconds: it kills, it judges, and it notices what is wrong."""

import asyncio
from pathlib import Path

import pytest

from bot.standins.faults import Fault
from bot.tests.chaos.figures import Figures
from bot.tests.chaos.plan import Plan
from bot.tests.chaos.run import Run
from bot.tests.chaos.systems import fleet_on
from bot.tests.processes import own_database

pytestmark = pytest.mark.processes
# Faults that cost a second at most: how a hang or a throttled person is waited for is tested elsewhere.
MODEL: tuple[Fault, ...] = ((0.1, {"status": 500, "json": {}}), (0.1, {"reset": True}), (0.3, {"delay": [0.1, 0.6]}))
CHANNEL: tuple[Fault, ...] = (
    (0.05, {"status": 502, "raw": "Bad gateway"}),
    (0.05, {"reset": True}),
    (0.3, {"delay": [0.05, 0.3]}),
)
PLAN = Plan(
    "kills", seed=7, seconds=60.0, kills=6, kill_every=0.7, webs=1, workers=2, chats=12, rate=10.0, late=2.0,
    model=MODEL, channel=CHANNEL, hurry=True,
)  # fmt: skip


def run(plan: Plan, folder: Path) -> Figures:
    with own_database(folder) as url, fleet_on(url, folder, plan) as fleet:
        return asyncio.run(Run(plan, fleet, quiet=True)())


def test_nothing_is_lost_or_doubled_while_processes_are_killed_and_providers_fail(tmp_path: Path) -> None:
    figures = run(PLAN, tmp_path)
    assert figures.problems() == []
    assert figures.web_kills + figures.worker_kills == 6
    assert figures.sent_in == figures.answered + figures.dead + figures.uncertain
    assert figures.sent_in > 20
