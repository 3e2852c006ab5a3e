"""What the way through the front costs a page: the same pages from the same application, under granian alone."""

from benchmarks.databases import fresh
from benchmarks.figures import Check, Part, medians, ratio
from benchmarks.load import told
from benchmarks.machine import cpu_seconds
from benchmarks.processes import Run, environment, seed
from benchmarks.rounds import rotated
from benchmarks.servers import plain_wsgi, served, web
from benchmarks.signed_in import Session, sign_in

ROUNDS = 5
WARM_UP_SECONDS = 2.0
CLIENTS = 4
COLUMNS = ("pages/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms a page")
FRONT, PLAIN = "through the front", "granian WSGI alone"


def measure(run: Run, kind: str) -> Part:
    """Ask both for the dashboard, the inbox and a person, in turns."""
    count = run.rounds or ROUNDS
    rounds: dict[str, list[list[float]]] = {FRONT: [], PLAIN: []}
    problems: list[str] = []
    with fresh(kind, "pages", run.directory) as database:
        seed(database, 0, 1)
        session = sign_in(database)
        env = environment(database)
        with web(run, database) as ours, served("plain", plain_wsgi("config.wsgi:application"), run, env) as plain:
            contenders = {FRONT: (ours.port, (ours.front.pid, ours.pages.pid)), PLAIN: (plain.port, (plain.pid,))}
            for port, pids in contenders.values():
                play(session, port, pids, WARM_UP_SECONDS)
            for number in range(count):
                for name in rotated((FRONT, PLAIN), number):
                    figures, wrong = play(session, *contenders[name], run.seconds)
                    rounds[name].append(figures)
                    problems += wrong
    rows = {name: medians(figures) for name, figures in rounds.items()}
    checks = [
        Check("pages/s: through the front / alone", ratio(rounds[FRONT], rounds[PLAIN], 0), at_least=0.95),
        Check("CPU a page: through the front / alone", ratio(rounds[FRONT], rounds[PLAIN], 4)),
    ]
    notes = [
        f"{count} rounds of {run.seconds:g} s each in turn, {CLIENTS} clients, {', '.join(session.pages)}; medians"
    ]
    return Part("pages", kind, COLUMNS, rows, checks, notes, problems, details={"rounds": rounds})


def play(session: Session, port: int, pids: tuple[int, ...], seconds: float) -> tuple[list[float], list[str]]:
    """Ask one server for pages and return its figures, and what is wrong."""
    cpu = sum(map(cpu_seconds, pids))
    words = {"port": port, "cookie": session.cookie, "page": session.pages, "connections": CLIENTS, "seconds": seconds}
    said = told("page_load", words, seconds + 60)
    cpu = sum(map(cpu_seconds, pids)) - cpu
    answered = sum(said["statuses"].values())
    p50, p95, p99, _ = said["milliseconds"]
    wrong = [] if said["statuses"].keys() == {"200"} else [f"port {port}: pages were answered with {said['statuses']}"]
    return [answered / said["seconds"], p50, p95, p99, cpu / answered * 1_000], wrong
