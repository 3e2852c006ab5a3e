"""What a run is made of: how much load, how many kills, and which faults the providers have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.dev.standins.faults import Fault

# Shorter than a lease lives, so that a model that hangs costs a sentence and not a recovery.
MODEL_DEADLINE_SECONDS = 5


def _openai(status: int, code: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "json": {"error": {"message": "Not now", "type": code, "code": code}}, **more}


def _graph(status: int, code: int) -> dict[str, Any]:
    error = {"message": f"(#{code}) Not now", "type": "OAuthException", "code": code, "fbtrace_id": "chaos"}
    return {"status": status, "json": {"error": error}}


MODEL_FAULTS: tuple[Fault, ...] = (
    (0.02, _openai(500, "server_error")),
    (0.02, _openai(429, "rate_limit_exceeded", headers={"Retry-After": "1"})),
    (0.01, {"raw": "<html>garbage</html>"}),
    (0.01, {"empty": True}),
    (0.015, {"reset": True}),
    (0.01, {"hang": True}),
    (0.15, {"delay": [0.2, 3.0]}),
    # Two parts: the second may only follow the first.
    (0.04, {"text": "A long answer. " * 300}),
)
CHANNEL_FAULTS: tuple[Fault, ...] = (
    (0.015, _graph(429, 130429)),
    (0.01, _graph(500, 131016)),
    (0.01, _graph(400, 131056)),
    (0.015, {"status": 502, "raw": "<html>Bad gateway</html>"}),
    (0.015, {"reset": True}),
    (0.002, {"hang": True}),
    (0.08, {"delay": [0.1, 2.0]}),
)
# No faults: turns that take a while, so that a restart finds some under way.
MODEL_DELAYS: tuple[Fault, ...] = ((1.0, {"delay": [0.2, 2.0]}),)
CHANNEL_DELAYS: tuple[Fault, ...] = ((1.0, {"delay": [0.02, 0.3]}),)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. Times in seconds, rates a second.

    kills: how many processes die by SIGKILL; 0 in a rolling run. seconds: the load ends then at the latest.
    late: how much later the latest statuses and repeated deliveries come. model, channel: how their stand-ins behave.
    hurry: do not wait half a minute for a dead worker's leases, let them run out at once (a short test of the tool).
    """

    mode: str
    seed: int
    seconds: float
    kills: int = 0
    kill_every: float = 1.0
    replace_every: float = 5.0
    webs: int = 2
    workers: int = 3
    chats: int = 300
    rate: float = 18.0
    late: float = 15.0
    settle_seconds: float = 600.0
    model: Sequence[Fault] = MODEL_FAULTS
    channel: Sequence[Fault] = CHANNEL_FAULTS
    hurry: bool = False
