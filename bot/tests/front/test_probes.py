"""Probes are answered at once, from what was found in the background, whatever hangs; numbers are not for everybody."""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bot.front import probes
from bot.front.application import Front
from bot.monitoring.health.readiness import FRESH_SECONDS, Readiness
from bot.tests.front.calling import Caller, asking, settling
from bot.tests.front.granian import STRANGER, FakeConnection
from bot.tests.front.standin import PagesStandIn

WELL = {"db": "ok", "redis": "skipped", "openai": "skipped"}


class Checks:
    """Stands in for the checks: what they find, and whether they come to an end."""

    def __init__(self) -> None:
        self.runs, self.found, self.hang = 0, dict(WELL), False

    async def __call__(self) -> Readiness:
        self.runs += 1
        if self.hang:
            await asyncio.Event().wait()
        return Readiness(dict(self.found))


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    checks = Checks()
    monkeypatch.setattr(probes, "run_checks", checks)
    return checks


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(probes, "time", SimpleNamespace(monotonic=clock))
    return clock


def found(answer: FakeConnection) -> tuple[int, str, dict[str, str]]:
    body = json.loads(answer.content)
    return answer.status, body["status"], body["checks"]


def ready(front: Caller) -> tuple[int, str, dict[str, str]]:
    answer = found(front.ask("GET", "/readyz"))
    front.settle()
    return answer


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_liveness_asks_nothing_and_nobody(
    front: Caller, checks: Checks, method: str, django_assert_num_queries: Any
) -> None:
    front.ask("GET", "/healthz")
    front.settle()  # (the directory is read in the background)
    with django_assert_num_queries(0):
        answer = front.ask(method, "/healthz")
    assert (answer.status, json.loads(answer.content)) == (200, {"status": "ok"})
    assert checks.runs == 0
    assert answer.header("content-type") == ["application/json"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_probes_only_read(front: Caller, checks: Checks, path: str, method: str) -> None:
    answer = front.ask(method, path)
    assert (answer.status, answer.header("allow")) == (405, ["GET, HEAD"])
    assert checks.runs == 0


def test_the_first_probe_waits_for_what_is_found(front: Caller, checks: Checks, pages: PagesStandIn) -> None:
    assert ready(front) == (200, "ready", {**WELL, "pages": "ok", "webhooks": "ok"})


def test_a_first_probe_does_not_wait_longer_than_some_seconds(
    front: Caller, checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "FIRST_SECONDS", 0.01)
    checks.hang = True
    status, word, states = ready(front)
    assert (status, word) == (503, "unready")
    assert states == {"db": "unknown", "redis": "unknown", "openai": "unknown", "webhooks": "ok"}


def test_later_ones_are_answered_with_what_was_found_last_and_ask_at_most_once_at_a_time(
    front: Caller, checks: Checks, clock: Clock, pages: PagesStandIn
) -> None:
    ready(front)
    assert [ready(front)[0] for _ in range(5)] == [200] * 5
    assert checks.runs == 1, "for some seconds one answer is for all"

    clock.now += FRESH_SECONDS + 0.1
    checks.hang, probes.FIRST_SECONDS = True, 60.0
    assert found(front.run(asyncio.wait_for(asking(front.front, "GET", "/readyz"), 5)))[0] == 200, "nobody waits"
    assert [ready(front)[0] for _ in range(5)] == [200] * 5
    assert checks.runs == 2

    clock.now += probes.STALE_SECONDS
    patience(front)
    assert ready(front)[:2] == (503, "unready"), "what was found so long ago is no answer"
    assert checks.runs == 2


def patience(front: Caller) -> None:
    """Let a probe wait for a moment only."""
    probes.FIRST_SECONDS = 0.01


@pytest.fixture(autouse=True)
def own_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "FIRST_SECONDS", probes.FIRST_SECONDS)


def test_what_is_found_in_the_background_counts_for_the_next(
    front: Caller, checks: Checks, clock: Clock, pages: PagesStandIn
) -> None:
    assert ready(front)[:2] == (200, "ready")
    checks.found["db"] = "error"
    clock.now += FRESH_SECONDS + 0.1
    assert wait_for(front, lambda: ready(front)[0] == 503)
    checks.found["db"] = "ok"
    clock.now += FRESH_SECONDS + 0.1
    assert wait_for(front, lambda: ready(front)[0] == 200)


def wait_for(front: Caller, condition: Callable[[], bool]) -> bool:
    """Return whether a condition comes to hold while the front does what it does."""
    for _ in range(500):
        if condition():
            return True
        front.run(asyncio.sleep(0.001))
    return False


def test_pages_that_are_away_make_it_degraded_and_not_unready(front: Caller, checks: Checks, settings: Any) -> None:
    settings.PAGES_SOCKET = "/nowhere/pages"
    assert ready(front) == (200, "degraded", {**WELL, "pages": "error", "webhooks": "ok"})


def test_webhooks_that_are_refused_make_it_unready_at_this_moment(
    front: Caller, checks: Checks, pages: PagesStandIn
) -> None:
    assert ready(front)[0] == 200
    intake = front.front.intake
    with intake._waiting.held(intake._waiting.most):
        status, word, states = ready(front)
        assert (status, word, states["webhooks"]) == (503, "unready", "error")
    assert ready(front)[0] == 200


def test_a_burst_of_probes_is_one_look(front: Caller, checks: Checks, pages: PagesStandIn) -> None:
    async def burst(called: Front) -> list[FakeConnection]:
        return await asyncio.gather(*(asking(called, "GET", "/readyz") for _ in range(50)))

    assert {found(answer)[0] for answer in front.together(burst)} == {200}
    assert checks.runs == 1


STRANGERS: list[tuple[str, dict[str, str]]] = [
    (STRANGER, {}),
    ("", {}),
    *(
        ("127.0.0.1:1", {name: "127.0.0.1"})
        for name in ("X-Forwarded-For", "x_forwarded_for", "X-Real-IP", "Forwarded", "Via", "CF-Ray")
    ),
]


@pytest.mark.parametrize(("client", "headers"), STRANGERS, ids=str)
def test_numbers_are_for_this_machine_and_for_who_sends_the_token(
    front: Caller, checks: Checks, settings: Any, client: str, headers: dict[str, str]
) -> None:
    settings.METRICS_TOKEN = "a-token-of-twenty-characters"

    def told(client: str, **more: str) -> bool:
        return "system" in json.loads(front.ask("GET", "/readyz", b"", {**headers, **more}, client).content)

    assert not told(client)
    assert not told(client, Authorization="Bearer another")
    assert told(client, Authorization="Bearer a-token-of-twenty-characters")


@pytest.mark.parametrize("client", ["127.0.0.1:1", "[::1]:1", "::1:1", "::ffff:127.0.0.1:1"])
def test_this_machine_is_told_numbers(front: Caller, checks: Checks, client: str) -> None:
    assert "system" in json.loads(front.ask("GET", "/readyz", client=client).content)


def test_what_is_not_ready_is_logged_once(
    front: Caller, checks: Checks, clock: Clock, pages: PagesStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    checks.found["redis"] = "error"
    for _ in range(3):
        ready(front)
        clock.now += FRESH_SECONDS + 0.1
        front.run(settling())
    events = [record for record in caplog.records if record.message == "readiness_changed"]
    assert [getattr(record, "failed", None) for record in events] == [["redis"]]
