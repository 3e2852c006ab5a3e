"""The processes of one Parley, in places that are filled again: started, killed and replaced one by one."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request

from bot.dev.standins.process import StandIn
from bot.tests.support.processes import FRONT, OPENER, PROJECT, System
from bot.tests.system.chaos.plan import Plan
from bot.tests.system.faults.binaries import free_port
from bot.tests.system.faults.driving import FAULTY

LOOK_EVERY = 0.2
# Of the kills: workers hold leases and send, webs only receive.
WORKERS_SHARE = 0.65
ANYBODY_SHARE = 0.05
# Webs that end themselves, before a group of deliveries is stored or between its commit and the answers.
CRASHING_SHARE = 0.4
CRASH_POINTS = ("before_group_stored", "before_delivery_committed", "after_group_committed")
LARGEST_COUNTDOWN = 15
# A worker drains for 30 s, and closes what it has open.
END_SECONDS = 60
# As the Procfile has it, but for the port.
GRANIAN = ("--workers-kill-timeout", "30", *FRONT)


@dataclass(slots=True, eq=False)
class Place:
    """Where one process runs; a web keeps its port whoever serves there."""

    role: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    up: bool = False


class Fleet(System):
    """All processes of a run. `fallen` names those that ended without being asked to."""

    def __init__(self, database_url: str, model: StandIn, whatsapp: StandIn, folder: Path, plan: Plan) -> None:
        super().__init__(database_url, model, whatsapp, folder)
        self.plan = plan
        self.random = random.Random(plan.seed)
        self.sends_log = folder / "whatsapp.jsonl"
        self.places: list[Place] = []
        self.fallen: list[str] = []
        # Nobody who is started from now on ends itself.
        self.calm = False

    def start_all(self) -> None:
        """Start as many webs and workers as planned."""
        for role, number in (("web", self.plan.webs), ("worker", self.plan.workers)):
            for _ in range(number):
                # Below the ports that are given to connections: nobody takes it while its web is dead.
                port = free_port() if role == "web" else 0
                self.places.append(Place(role, port, *self._spawn(role, port)))

    @property
    def ports(self) -> list[int]:
        """Return the ports of the webs."""
        return [place.port for place in self.places if place.port]

    @property
    def urls(self) -> list[str]:
        """Return where the webs take deliveries."""
        return [f"http://127.0.0.1:{port}/webhooks/whatsapp/shop/" for port in self.ports]

    async def look_after(self) -> None:
        """Note who has come up; start again what ended by itself, as an operator's supervisor does."""
        while True:
            for place in list(self.places):
                code = place.process.poll()
                if code is not None:
                    self.fallen.append(f"{place.log.name} ended with {code}")
                    self.fill(place)
                elif not place.up:
                    process = place.process
                    up = await asyncio.to_thread(_is_up, place)
                    place.up = up and place.process is process
            await asyncio.sleep(LOOK_EVERY)

    async def all_up(self, seconds: float = 180) -> None:
        """Wait until every process is up; look_after() notes it.

        Raises:
            TimeoutError: one is not.
        """
        async with asyncio.timeout(seconds):
            while not all(place.up for place in self.places):
                await asyncio.sleep(LOOK_EVERY)

    def victim(self) -> Place | None:
        """Choose who dies next; None while the others of its kind are still starting.

        The last one that is up is mostly spared: on a slow machine nobody would ever be up otherwise.
        """
        places = self._of("worker" if self.random.random() < WORKERS_SHARE else "web")
        spared = sum(place.up for place in places) < 2
        candidates = [place for place in places if (place.up and not spared) or self.random.random() < ANYBODY_SHARE]
        return self.random.choice(candidates) if candidates else None

    def kill(self, place: Place) -> int:
        """Kill a process (and granian's own child) as a power cut would, and return its id."""
        dead = place.process
        os.killpg(dead.pid, signal.SIGKILL)
        dead.wait()
        return dead.pid

    def in_turn(self) -> list[Place]:
        """Return the places, webs and workers by turns."""
        numbered = [(number, place) for role in ("web", "worker") for number, place in enumerate(self._of(role))]
        return [place for _, place in sorted(numbered, key=lambda pair: pair[0])]

    def _of(self, role: str) -> list[Place]:
        return [place for place in self.places if place.role == role]

    async def roll(self, place: Place) -> str:
        """End a process in order, start its successor, wait until that is up, and return how the old one ended."""
        old, log = place.process, place.log
        self.places.remove(place)  # so that its end is not taken for a fall
        old.send_signal(signal.SIGTERM)
        ended = await asyncio.to_thread(_end_of, old, log)
        self.fill(place)
        self.places.append(place)
        await self.all_up()
        return ended

    async def end_all(self) -> list[str]:
        """End every process in order and return "log ended with code" for each."""
        places, self.places = self.places, []
        for place in places:
            place.process.send_signal(signal.SIGTERM)
        return [await asyncio.to_thread(_end_of, place.process, place.log) for place in places]

    def kill_all(self) -> None:
        """Leave no process behind, whatever happened."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def fill(self, place: Place) -> None:
        """Start another process where one has ended."""
        place.up = False
        place.process, place.log = self._spawn(place.role, place.port)

    def _spawn(self, role: str, port: int) -> tuple[subprocess.Popen[bytes], Path]:
        granian = [sys.executable, "-m", "granian", *GRANIAN, "--port", str(port), "config.rsgi:application"]
        command = granian if role == "web" else [sys.executable, "manage.py", "runworker"]
        log = self.folder / f"{role}-{len(self.processes):04}.log"
        crashing = self._crashing() if role == "web" else {}
        with log.open("wb") as stream:
            # A session of its own: the group is killed as a whole, and Ctrl-C reaches the run only.
            process = subprocess.Popen(
                command, env=self.environment | crashing, cwd=PROJECT, stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process, log

    def _crashing(self) -> dict[str, str]:
        """Return what makes a web process end itself at a point that a kill from outside seldom meets."""
        if self.plan.mode != "kills" or self.calm or self.random.random() > CRASHING_SHARE:
            return {}
        number = self.random.randint(2, LARGEST_COUNTDOWN)
        return {**FAULTY, "PARLEY_CRASH_AT": f"{self.random.choice(CRASH_POINTS)}:{number}"}


def _end_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return how a process that was told to end did so."""
    try:
        return f"{log.name} ended with {process.wait(END_SECONDS)}"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return f"{log.name} did not end in {END_SECONDS} s"


def _is_up(place: Place) -> bool:
    if place.role == "worker":
        return b"worker_started" in place.log.read_bytes()
    try:
        with OPENER.open(Request(f"http://127.0.0.1:{place.port}/healthz"), timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
