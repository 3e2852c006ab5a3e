"""Random faults of a stand-in: drawn inside its process, with a seed, one draw for each request."""

import random
from collections.abc import Iterable
from typing import Any

# What a behaviour may say; anything else is a slip of the test that wrote it.
BEHAVIOUR_KEYS = {"for", "status", "headers", "json", "raw", "empty", "text", "delay", "drip", "hang", "reset"}
# [share of all requests, behaviour]; a behaviour's delay may be [least, most] seconds.
Fault = tuple[float, dict[str, Any]]


class RandomFaults:
    """Draws a behaviour for each request; mostly {}: as the provider would."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.faults = list(faults)
        self.random = random.Random(seed)  # noqa: S311 (to be repeatable, not secret)

    def draw(self) -> dict[str, Any]:
        """Return what to do with the next request."""
        left = self.random.random()
        for share, behaviour in self.faults:
            left -= share
            if left < 0:
                return self._with_one_delay(behaviour)
        return {}

    def _with_one_delay(self, behaviour: dict[str, Any]) -> dict[str, Any]:
        delay = behaviour.get("delay")
        if not isinstance(delay, list):
            return behaviour
        return {**behaviour, "delay": round(self.random.uniform(*delay), 3)}


def unknown_keys(behaviours: Iterable[dict[str, Any]]) -> str:
    """Return the words of behaviours that mean nothing."""
    return ", ".join(sorted({key for behaviour in behaviours for key in behaviour} - BEHAVIOUR_KEYS))
