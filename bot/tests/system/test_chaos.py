"""The long run's tool, in a run of seconds: it kills, it judges, and it notices what is wrong."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.dev.standins.faults import Fault
from bot.tests.support.echoes import echo
from bot.tests.support.processes import own_database
from bot.tests.system.chaos.figures import Figures, turns_disordered
from bot.tests.system.chaos.fleet import Fleet
from bot.tests.system.chaos.plan import Plan
from bot.tests.system.chaos.run import Run
from bot.tests.system.chaos.systems import fleet_on

# Faults that cost a second at most: how a hang or a throttled person is waited for is tested elsewhere.
MODEL: tuple[Fault, ...] = ((0.1, {"status": 500, "json": {}}), (0.1, {"reset": True}), (0.3, {"delay": [0.1, 0.6]}))
CHANNEL: tuple[Fault, ...] = (
    (0.05, {"status": 502, "raw": "Bad gateway"}),
    (0.05, {"reset": True}),
    (0.3, {"delay": [0.05, 0.3]}),
)
PLAN = Plan(
    "kills", seed=7, seconds=240.0, kills=6, kill_every=0.7, webs=2, workers=2, chats=12, rate=10.0, late=2.0,
    settle_seconds=150.0, model=MODEL, channel=CHANNEL, hurry=True,
)  # fmt: skip


def run(plan: Plan, folder: Path) -> Figures:
    with own_database(folder) as url, fleet_on(url, folder, plan) as fleet:
        return asyncio.run(Run(plan, fleet, quiet=True)())


@pytest.mark.processes
@pytest.mark.soak
def test_nothing_is_lost_or_doubled_while_processes_are_killed_and_providers_fail(tmp_path: Path) -> None:
    figures = run(PLAN, tmp_path)
    assert figures.problems() == []
    assert figures.web_kills + figures.worker_kills == 6
    assert figures.sent_in == figures.answered + figures.dead + figures.uncertain
    assert figures.sent_in > 20


def test_a_run_in_which_a_promise_was_broken_is_not_good() -> None:
    good = Figures("kills", 1, exits=["worker-0001.log ended with 0"], recovery_max=34.9, uncertain=3, dead=1)
    assert good.problems() == []
    for broken in (
        {"wrong": {"lost": ["wamid.1"]}},
        {"wrong": {"doubled": ["outbound 1"]}},
        {"leases": 1},
        {"recovery_max": 35.1},
        {"exits": ["worker-0001.log ended with -9"]},
    ):
        assert replace(good, **broken).problems(), broken
    # A provider delivers again after a 503; after a 4xx not every one does.
    rolling = Figures("rolling", 1, answers={"200": 10, "503": 1, "refused": 2})
    assert rolling.problems() == []
    assert replace(rolling, answers={"200": 10, "400": 1}).problems()
    assert replace(rolling, fallen=["web-0001.log ended with 1"]).problems()


def test_a_reply_that_overtakes_an_earlier_one_is_noticed_unless_it_was_held_back(tmp_path: Path) -> None:
    (tmp_path / "worker-0001.log").write_text(
        "12:00:00 WARNING bot.worker.delivery: send_uncertain turn_id=1 outbound_id=1\n"
    )
    parts = [(1, 1, 1), (2, 1, 2), (3, 5, 1), (4, 8, 1)]
    assert turns_disordered(Sent(tmp_path, parts, [1, 3, 4])) == []
    assert turns_disordered(Sent(tmp_path, parts, [1, 3, 2, 4])) == []
    assert turns_disordered(Sent(tmp_path, parts, [1, 4, 3])) == ["turn 5 after turn 8"]


class Sent(Fleet):
    """A fleet that never ran: rows of the outbox, and which of them the channel took, in order."""

    def __init__(self, folder: Path, parts: list[tuple[int, int, int]], taken: list[int]) -> None:
        self.folder, self.parts, self.taken = folder, parts, taken

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return list(self.parts)

    def sends_received(self) -> list[dict[str, Any]]:
        bodies = [{"to": "4915120000000", "biz_opaque_callback_data": echo(id)} for id in self.taken]
        return [{"status": 200, "behaviour": {}, "body": body} for body in bodies]
