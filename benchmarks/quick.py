"""The ratios that decide, in short rounds on one database, beside those that were last accepted."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks import baseline
from benchmarks.databases import POSTGRESQL
from benchmarks.figures import BenchmarkError, Check, Part, shown
from benchmarks.processes import Run
from benchmarks.registry import PARTS
from benchmarks.report import Report

SECTION = "ratios"
# Each with its rounds; all of it within three minutes.
CHOSEN = {"ack": 5, "busy": 2, "pages": 2, "turn": 2, "pickup": 1}
SECONDS, CHATS = 1.5, 1_000


def measure(run: Run, kinds: tuple[str, ...], report: Report, *, accept: bool) -> None:
    """Measure, and show each ratio beside its baseline; accept: write what was measured in its place."""
    kind = POSTGRESQL if POSTGRESQL in kinds else kinds[0]
    found: dict[str, Check] = {}
    for name, rounds in CHOSEN.items():
        own = run.directory / name
        own.mkdir()
        try:
            part = PARTS[name](replace(run, directory=own, rounds=rounds, seconds=SECONDS, chats=CHATS), kind)
        except BenchmarkError as error:
            report.failed(f"{name} · {kind}: {error}")
            continue
        report.measured(part)
        found.update(ratios_of(part))
    before = baseline.read().get(SECTION, {}).get(kind, {})
    report.show("\n" + "\n".join(lines(kind, found, before)))
    if accept:
        values = {name: round(check.value, 3) for name, check in found.items()}
        baseline.accept(SECTION, kind, {**before, **values})
        report.show(f"Written to {baseline.PATH.name}.")


def ratios_of(part: Part) -> Iterator[tuple[str, Check]]:
    """Yield the figures of a part that can be compared between machines and days: those without a unit."""
    for check in part.checks:
        if not check.unit:
            yield f"{part.name}: {check.name}", check


def lines(kind: str, found: dict[str, Check], before: dict[str, float]) -> Iterator[str]:
    """Yield a table: what was measured now, what was accepted, and the change."""
    width = max([len(name) for name in found], default=0)
    yield f"{f'ratios on {kind}'.ljust(width)}      now  baseline  change"
    for name, check in found.items():
        then = before.get(name)
        beside = f"{shown(then):>8}  {check.value / then - 1:+6.0%}" if then else f"{'–':>8}  {'–':>6}"
        yield f"{name.ljust(width)}  {shown(check.value):>7}  {beside}  {check.verdict}".rstrip()
