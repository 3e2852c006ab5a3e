"""One run: load, failures, peace, and the judgement."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle
from typing import Any

from bot.dev.standins.faults import Fault
from bot.tests.system.chaos.figures import Figures, judged
from bot.tests.system.chaos.fleet import Fleet
from bot.tests.system.chaos.outages import Outage
from bot.tests.system.chaos.plan import Plan
from bot.tests.system.chaos.provider import Provider
from bot.tests.system.chaos.recovery import Recovery, patiently
from bot.tests.system.chaos.statuses import Statuses
from bot.tests.system.faults.crowd import WEBHOOK
from bot.tests.system.faults.proxies import reason_to_skip, running_proxy

PROXY = "nginx"
REPORT_EVERY = 10
LOOK_EVERY = 0.5
OPEN = """SELECT
    (SELECT COUNT(*) FROM bot_inboundmessage WHERE state = 'pending'),
    (SELECT COUNT(*) FROM bot_outboundmessage WHERE status IN ('queued', 'sending')),
    (SELECT COUNT(*) FROM bot_lease WHERE worker <> '')"""


class Run:
    """Everything a run needs, from the first process to the last."""

    def __init__(self, plan: Plan, fleet: Fleet, outages: Sequence[Outage] = (), *, quiet: bool = False) -> None:
        self.plan, self.fleet, self.quiet = plan, fleet, quiet
        self.outages = sorted(outages, key=lambda outage: outage.at)
        self.killing = True
        self.figures = Figures(mode=plan.mode, seed=plan.seed)
        self.recovery = Recovery(fleet, plan.hurry)
        self.began = 0.0

    async def __call__(self) -> Figures:
        """Run to the end and return what came of it."""
        self.fleet.start_all()
        with self._urls() as urls:
            return await self._run(urls)

    @contextmanager
    def _urls(self) -> Iterator[list[str]]:
        """Yield where the provider delivers: a rolling restart is behind a proxy, if there is one."""
        if self.plan.mode != "rolling" or reason_to_skip(PROXY):
            yield self.fleet.urls
            return
        self.figures.proxy = PROXY
        with running_proxy(PROXY, self.fleet.folder / PROXY, self.fleet.ports) as proxy:
            yield [f"https://127.0.0.1:{proxy.port}{WEBHOOK}"]

    async def _run(self, urls: Sequence[str]) -> Figures:
        self.provider = Provider(urls, self.plan)
        self.statuses = Statuses(self.provider, self.fleet.sends_log, self.plan)
        try:
            async with running(self.fleet.look_after(), self.statuses.run(), self.recovery.watch()):
                await self.fleet.all_up()
                self.began = time.monotonic()
                async with running(self._report()):
                    await self._trouble()
                    self.figures.load_seconds = round(self._elapsed(), 1)
                    await self._peace()
                # Who is still starting has no handler for SIGTERM yet.
                await self.fleet.all_up()
            await self._end()
            return await asyncio.to_thread(judged, self.figures, self.fleet, self.provider, self.recovery)
        finally:
            await self.provider.close()
            self.fleet.kill_all()

    async def _trouble(self) -> None:
        """Keep the load up while everything fails, as the mode has it."""
        self._providers(self.plan.model, self.plan.channel)
        async with running(self.provider.write()):
            if self.plan.mode == "rolling":
                await self._roll()
            else:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._outages())
                    await self._kill()
                    self.killing = False
        self._providers([], [])
        self.fleet.calm = True

    def _providers(self, model: Sequence[Fault], channel: Sequence[Fault]) -> None:
        self.fleet.model.faults(model, self.plan.seed)
        self.fleet.whatsapp.faults(channel, self.plan.seed)

    async def _kill(self) -> None:
        while self._kills() < self.plan.kills and self._elapsed() < self.plan.seconds:
            await asyncio.sleep(self.fleet.random.uniform(0.5, 1.5) * self.plan.kill_every)
            victim = self.fleet.victim()
            if victim is None:
                continue
            pid = self.fleet.kill(victim)
            if victim.role == "worker":
                self.figures.worker_kills += 1
                noted = asyncio.create_task(self.recovery.killed(pid))
                self.fleet.fill(victim)
                await noted
            else:
                self.figures.web_kills += 1
                self.fleet.fill(victim)

    def _elapsed(self) -> float:
        return time.monotonic() - self.began

    def _kills(self) -> int:
        return self.figures.web_kills + self.figures.worker_kills

    async def _outages(self) -> None:
        for outage in self.outages:
            while self.killing and outage.at > self._share():
                await asyncio.sleep(LOOK_EVERY)
            self.figures.outages.append(f"{self._elapsed():.0f} s: {outage.name}")
            await asyncio.to_thread(outage.happen)

    def _share(self) -> float:
        """Return how much of the run is over: of its kills or of its time, whichever is further."""
        return max(self._kills() / max(self.plan.kills, 1), self._elapsed() / self.plan.seconds)

    async def _roll(self) -> None:
        for place in cycle(self.fleet.in_turn()):
            due = self._elapsed() + self.plan.replace_every
            self.figures.exits.append(await self.fleet.roll(place))
            await asyncio.sleep(max(due - self._elapsed(), 0))
            if self._elapsed() >= self.plan.seconds:
                return

    async def _peace(self) -> None:
        """Wait until nothing is under way any more, for as long as the plan allows."""
        began, calm = time.monotonic(), 0
        while calm < 3 and time.monotonic() - began < self.plan.settle_seconds:
            await asyncio.sleep(LOOK_EVERY)
            under_way = self.provider.busy + self.statuses.waiting + sum(await self._open())
            calm = 0 if under_way else calm + 1
        self.figures.settle_seconds = round(time.monotonic() - began, 1)

    async def _end(self) -> None:
        self.figures.exits += await self.fleet.end_all()
        self.figures.fallen = self.fleet.fallen

    async def _open(self) -> tuple[int, int, int]:
        rows: list[tuple[int, int, int]] = await patiently(lambda: self.fleet.rows(OPEN))
        return rows[0]

    async def _report(self) -> None:
        while not self.quiet:
            await asyncio.sleep(REPORT_EVERY)
            pending, _, leases = await self._open()
            took = f"{max(self.recovery.took):.1f} s" if self.recovery.took else "-"
            sys.stdout.write(
                f"{self._elapsed():5.0f} s  accepted {len(self.provider.accepted)}, "
                f"pending {pending}, leases {leases}, kills {self._kills()}, "
                f"replaced {len(self.figures.exits)}, slowest recovery {took}\n"
            )
            sys.stdout.flush()


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run works beside the block, and end them with it; one that fails ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()
