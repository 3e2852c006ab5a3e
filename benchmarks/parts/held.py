"""What webhooks and probes notice while others hold connections, bodies, pages and memory: each kind alone, and all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.databases import POSTGRESQL, Database, fresh
from benchmarks.figures import BenchmarkError, Check, Part
from benchmarks.load import Contender, meanwhile, paced, told, wrong
from benchmarks.machine import wait_until
from benchmarks.processes import Run, seed
from benchmarks.servers import Web, web
from benchmarks.signed_in import Session, sign_in
from benchmarks.watching import memory_while, peaks

PEOPLE = 20_000
WEBHOOKS_PER_SECOND, PROBES_PER_SECOND, PAGES_PER_SECOND = 50.0, 10.0, 1.0
WEBHOOK_CONNECTIONS = 4
WARM_UP_CLIENTS, WARM_UP_SECONDS = 16, 3.0
LIMIT_SECONDS = 900
SETTLE_SECONDS = 30.0
MOST_MS = 100
MOST_MEMORY_MB = 200
COLUMNS = (
    *("webhooks p50", "p99 ms", "probes p50", "p99 ms", "pages p50", "p99 ms"),
    *("pages 200", "others", "web peak MB", "pages MB", "connections"),
)
QUIET, TOGETHER = "nothing held", "all together"
EXPORT = "/admin/users/user/export/"
CONNECTIONS, FORMS = "holding.connections", "holding.forms"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "bodies": (CONNECTIONS, {"kind": "bodies", "count": 200}),
    "heads": (CONNECTIONS, {"kind": "heads", "count": 200}),
    "idle": (CONNECTIONS, {"kind": "idle", "count": 10_000}),
    "sign-ins": (FORMS, {"kind": "sign-ins", "count": 16}),
    "imports": (FORMS, {"kind": "imports", "count": 10}),
    "downloads": (CONNECTIONS, {"kind": "downloads", "count": 20, "page": EXPORT}),
}
NAMES = (*CASES, "together")


@dataclass(frozen=True, slots=True)
class Found:
    """What a case came to: its figures (COLUMNS), what is wrong, and what the holders said."""

    row: list[float]
    problems: list[str]
    said: dict[str, Any]


def measure(run: Run, kind: str) -> Part:
    """Hold one kind after the other against one server, then all of them at once."""
    chosen = {name: [name] for name in CASES if not run.cases or name in run.cases}
    if not run.cases or "together" in run.cases:
        chosen[TOGETHER] = list(CASES)
    found: dict[str, Found] = {}
    with fresh(kind, "held", run.directory) as database:
        seed(database, 0, PEOPLE)
        session = sign_in(database, demo=False)
        with web(run, database) as server:
            words = {"port": server.port, "cookie": session.cookie, "page": session.pages}
            # Each thread of the pages keeps its database connection: from now on they are all there.
            told("page_load", {**words, "connections": WARM_UP_CLIENTS, "seconds": WARM_UP_SECONDS}, LIMIT_SECONDS)
            held = Held(run, database, server, session)
            found[QUIET] = held.measure(QUIET, [])
            usual = int(found[QUIET].row[-1])
            for name, cases in chosen.items():
                found[name] = held.measure(name, cases, usual)
    quiet = found[QUIET].row
    checks = [check for name, case in found.items() if name != QUIET for check in limits(name, case.row, quiet)]
    notes = [
        f"{run.hold:g} s each; {PEOPLE:,} people; webhooks {WEBHOOKS_PER_SECOND:g}/s, probes {PROBES_PER_SECOND:g}/s"
    ]
    notes += [f"{name}: {case}: {words}" for name, each in found.items() for case, words in each.said.items()]
    problems = [problem for case in found.values() for problem in case.problems]
    rows = {name: case.row for name, case in found.items()}
    return Part("held", kind, COLUMNS, rows, checks, notes, problems, details={n: c.said for n, c in found.items()})


def limits(name: str, row: list[float], quiet: list[float]) -> Iterator[Check]:
    """Yield what a case may cost others."""
    yield Check(f"{name}: webhooks p99", row[1], "ms", at_most=MOST_MS)
    yield Check(f"{name}: probes p99", row[3], "ms", at_most=MOST_MS)
    yield Check(f"{name}: memory of the web process above idle", row[8] - quiet[8], "MB", at_most=MOST_MEMORY_MB)


@dataclass(frozen=True, slots=True)
class Held:
    """One server and what it is asked for."""

    run: Run
    database: Database
    server: Web
    session: Session

    def measure(self, name: str, cases: list[str], usual: int | None = None) -> Found:
        """Hold some kinds for a while, and ask meanwhile. usual: how many database connections there are without."""
        label = name.replace(" ", "-")
        before = self.database.count("bot_inboundmessage")
        contender = Contender(f"{name}: webhooks", self.server.front, self.database, "bot_inboundmessage")
        with (
            self.holding(label, cases) as said,
            paced(contender, label, WEBHOOKS_PER_SECOND, LIMIT_SECONDS, connections=WEBHOOK_CONNECTIONS) as webhooks,
            self.asking(label, "probes", PROBES_PER_SECOND, ["/healthz", "/readyz"]) as probes,
            self.asking(label, "pages", PAGES_PER_SECOND, self.session.pages) as pages,
        ):
            memory = memory_while(self.run.hold, [self.server.front.pid, self.server.pages.pid])
        problems = wrong(contender, webhooks["statuses"], self.database.count("bot_inboundmessage") - before)
        if probes["statuses"].keys() != {"200"}:
            problems.append(f"{name}: probes were answered with {probes['statuses']}")
        if not pages["statuses"].get("200"):
            problems.append(f"{name}: no page was answered: {pages['statuses']}")
        if usual is not None:
            try:
                wait_until(lambda: self.connections() <= usual, SETTLE_SECONDS, "connections", poll=0.2)
            except BenchmarkError:
                problems.append(f"{name}: {self.connections()} database connections, {usual} before")
        answered = pages["statuses"].get("200", 0)
        others = sum(pages["statuses"].values()) - answered
        times = [value for each in (webhooks, probes, pages) for value in each["milliseconds"][:2]]
        return Found([*times, answered, others, *peaks(memory), self.connections()], problems, said)

    @contextmanager
    def holding(self, label: str, cases: list[str]) -> Iterator[dict[str, Any]]:
        """Hold some kinds while a block runs; what their clients said is known afterwards."""
        said: dict[str, Any] = {}
        with ExitStack() as stack:
            for case in cases:
                module, words = CASES[case]
                own = {**words, "port": self.server.port}
                if case in ("imports", "downloads"):
                    own["cookie"] = self.session.cookie
                stop = self.run.directory / f"stop-{label}-{case}"
                said[case] = stack.enter_context(meanwhile(module, stop, own, LIMIT_SECONDS))
            yield said

    @contextmanager
    def asking(self, label: str, what: str, rate: float, paths: list[str]) -> Iterator[dict[str, Any]]:
        """Ask for paths while a block runs."""
        words = {"port": self.server.port, "path": paths, "rate": rate, "cookie": self.session.cookie}
        with meanwhile("probe_load", self.run.directory / f"stop-{label}-{what}", words, LIMIT_SECONDS) as found:
            yield found

    def connections(self) -> int:
        """Return how many connections the database has; SQLite has none that could be counted."""
        if self.database.kind != POSTGRESQL:
            return 0
        return self.database.count("pg_stat_activity", "datname = current_database() AND pid <> pg_backend_pid()")
