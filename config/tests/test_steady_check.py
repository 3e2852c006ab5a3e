"""The steady check: what is over the accepted figures is an error that says what to do; no clock plays a part."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from benchmarks import baseline, steady_check
from benchmarks.counted import virtual_loop
from benchmarks.counted.callgrind import Counted

ACCEPTED = {"webhooks": {"instructions": 1_000_000, "statements": 0.1}, "turns": {"instructions": 5_000_000}}


def test_what_grows_by_more_than_five_percent_is_an_error_that_says_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert steady_check.compare({"webhooks": Counted(1_050_001, 0.1)}, ACCEPTED) == 1

    said = capsys.readouterr().err
    assert "webhooks: 1,050,001.00 instructions each, +5.0% of 1,000,000.00" in said
    assert "--accept" in said


def test_one_more_statement_is_an_error_whatever_the_instructions(capsys: pytest.CaptureFixture[str]) -> None:
    assert steady_check.compare({"webhooks": Counted(900_000, 0.11)}, ACCEPTED) == 1
    assert "statements" in capsys.readouterr().err


@pytest.mark.parametrize("instructions", [1_050_000, 1_000_000, 500_000])
def test_what_stays_within_five_percent_passes(instructions: float) -> None:
    assert steady_check.compare({"webhooks": Counted(instructions, 0.1)}, ACCEPTED) == 0


def test_another_python_is_not_compared_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert steady_check.compare({"webhooks": Counted(9e9, 9)}, None) == 0
    assert "NOT COMPARED" in capsys.readouterr().out


def test_accepting_one_figure_keeps_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "PATH", tmp_path / "baseline.json")
    baseline.accept("counted", "one", {"turns": 1})
    baseline.accept("counted", "another", {"turns": 2})
    baseline.accept("ratios", "postgresql", {"ack": 0.9})

    assert json.loads(baseline.PATH.read_text()) == {
        "counted": {"one": {"turns": 1}, "another": {"turns": 2}},
        "ratios": {"postgresql": {"ack": 0.9}},
    }


def test_an_hour_passes_at_once_in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", time.monotonic)  # put back after the test
    seen: list[float] = []

    async def work() -> None:
        began = time.monotonic()
        await asyncio.gather(asyncio.sleep(3_600), asyncio.to_thread(seen.append, 0.0))
        seen.append(time.monotonic() - began)

    virtual_loop.run(work())

    assert seen == [0.0, pytest.approx(3_600)]
