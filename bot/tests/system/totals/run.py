"""One run: two workers answer the load, one of them may be killed, and the books are closed."""

import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bot.tests.support.processes import wait_for
from bot.tests.system.faults.driving import frozen
from bot.tests.system.totals.books import Books, books_of, recorded
from bot.tests.system.totals.load import Load, loaded_system

CONCURRENCY = 15


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    ends: how many messages came to which end, by error code. in_flight: the turns whose call the killed worker waited
    for, or had not recorded yet.
    """

    books: Books
    load: Load
    ends: Counter[str]
    in_flight: frozenset[str] = frozenset()

    def check(self) -> None:
        """Fail unless all totals agree, but for what a killed worker took with it.

        A kill costs the calls that were billed, or about to be, and not recorded yet: of each turn it held one at most.
        Which those are is looked up while the worker stands still, just before it is killed.

        Raises:
            AssertionError: with what does not agree.
        """
        self.books.check()
        lost = Counter(call.turn for call in self.books.unrecorded.elements())
        assert set(lost) <= self.in_flight, "a call is missing that no killed worker waited for"
        assert set(lost.values()) <= {1}, "a turn lost more than the one call that was interrupted"
        assert len(self.in_flight) <= CONCURRENCY
        paid_again = self.books.paid_again()
        assert self.in_flight or not paid_again, "a turn was paid for twice although nobody lost a chat"
        assert self.load.exceeded(paid_again) == []


def run(folder: Path, turns: int, seed: int, *, kill: bool = False) -> Outcome:
    """Let two workers answer so many turns; with kill, one of them dies half-way and another comes."""
    with loaded_system(folder, turns, seed) as load:
        system = load.system
        victim = system.start_worker("--concurrency", str(CONCURRENCY))
        system.start_worker("--concurrency", str(CONCURRENCY))
        in_flight: frozenset[str] = frozenset()
        if kill:
            load.deliver_all(until=lambda: len(load.delivered) > turns // 2)
            in_flight = kill_in_flight(load, victim)
            # Of the other worker as well: it loses its chats to the third, and what it was billed for is still counted.
            system.half_a_minute_passes()
            system.start_worker("--concurrency", str(CONCURRENCY))
        load.deliver_all()
        wait_for(lambda: not system.rows("SELECT 1 FROM bot_lease WHERE worker <> ''"), "every lease is given back")
        # A worker that lost a chat may still wait for the model; it records what it gets before it ends.
        system.stop()
        return Outcome(books_of(system, load.delivered), load, load.ends(), in_flight)


def kill_in_flight(load: Load, victim: "subprocess.Popen[bytes]") -> frozenset[str]:
    """Kill a worker that waits for the model; return the first messages of the turns it holds and has not recorded."""
    system, found = load.system, frozenset[str]()

    def waits_for_the_model() -> bool:
        nonlocal found
        load.deliver_all(until=lambda: True)
        with frozen(victim):
            found = unrecorded_turns(load, victim.pid)
            asked = {request["body"]["messages"][-1]["content"].split()[0] for request in system.model.requests()}
            if not found & asked:
                return False
            victim.send_signal(signal.SIGKILL)
        victim.wait()
        return True

    wait_for(waits_for_the_model, "the worker waits for the model")
    return found


def unrecorded_turns(load: Load, pid: int) -> frozenset[str]:
    """Return the oldest pending message of each chat that a worker process holds, unless its turn is recorded."""
    rows = load.system.rows(
        "SELECT MIN(m.id), l.worker FROM bot_inboundmessage m "
        "JOIN bot_lease l ON l.bot_id = m.bot_id AND l.address = m.address "
        "WHERE m.state = 'pending' AND l.worker <> '' GROUP BY m.bot_id, m.address, l.worker"
    )
    held = {id for id, worker in rows if worker.split(":")[-2] == str(pid)}
    names = {name for id, name in load.system.rows("SELECT id, external_id FROM bot_inboundmessage") if id in held}
    return frozenset(names - {call.turn for call in recorded(load.system)})
