"""How long the leases of a killed worker keep their chats waiting, seen from outside: in the table."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.tests.support.processes import System

LOOK_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Orphan:
    """A lease whose worker was killed. `worker` is its full name: a process id may come again."""

    lease: int
    worker: str


@dataclass(slots=True)
class Recovery:
    """Watches the leases. `took`: seconds from each kill until a lease was released or another's."""

    system: System
    hurry: bool = False
    took: list[float] = field(default_factory=list)
    waiting: dict[Orphan, float] = field(default_factory=dict)

    async def killed(self, pid: int) -> None:
        """Note the leases that a worker died with."""
        at = time.monotonic()
        rows = await self._read("SELECT id, worker FROM bot_lease WHERE worker <> ''")
        orphans = [Orphan(id, worker) for id, worker in rows if worker.split(":")[-2] == str(pid)]
        self.waiting.update(dict.fromkeys(orphans, at))
        if self.hurry and orphans:
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            await self._read(
                f"UPDATE bot_lease SET expires_at = '{now}' WHERE worker = '{orphans[0].worker}'"  # noqa: S608
            )

    async def watch(self) -> None:
        """Look at the table until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self.waiting:
                expected = dict(self.waiting)
                rows = await self._read("SELECT id, worker FROM bot_lease WHERE worker <> ''")
                now, held = time.monotonic(), {Orphan(*row) for row in rows}
                for orphan, since in expected.items():
                    if orphan not in held:
                        self.took.append(now - since)
                        del self.waiting[orphan]

    async def _read(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask until the database answers: it may just be restarting."""
        return await patiently(lambda: self.system.rows(statement))


async def patiently(read: Callable[[], Any]) -> Any:
    """Return what read() returns, in a thread, tried again for a minute while the database is away."""
    give_up_at = time.monotonic() + 60
    while True:
        try:
            return await asyncio.to_thread(read)
        except Exception:  # whichever driver it is, and whatever it calls it
            if time.monotonic() > give_up_at:
                raise
            await asyncio.sleep(LOOK_EVERY)
