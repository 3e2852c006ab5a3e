"""What more workers on one database bring, and what they cost each other."""

from benchmarks.databases import fresh
from benchmarks.figures import Check, Part, medians
from benchmarks.parts.backlog import answer_backlog
from benchmarks.processes import Run, seed
from benchmarks.rounds import rotated

ROUNDS = 2
CHATS = 2_000
CONCURRENCY = 100
WORKERS = (1, 2, 4)
LIMIT_SECONDS = 180
COLUMNS = ("messages/s", "CPU ms each", "stand-ins' CPU ms", "largest MB")


def measure(run: Run, kind: str) -> Part:
    """Let one, two and four workers answer as many chats, in turns."""
    count = run.rounds or ROUNDS
    rounds: dict[int, list[list[float]]] = {number: [] for number in WORKERS}
    problems: list[str] = []
    with fresh(kind, "workers", run.directory) as database:
        seed(database, 0, 0)
        first = 0
        # Not counted: it leaves a database with a past.
        orders = [(1,), *(rotated(WORKERS, number) for number in range(count))]
        for order in orders:
            for workers in order:
                people = range(first, first + CHATS)
                first += CHATS
                found = answer_backlog(
                    run, database, people, concurrency=CONCURRENCY, delay=0.0, limit=LIMIT_SECONDS, workers=workers
                )
                problems += found.problems
                each = 1_000 / CHATS
                speed = CHATS / (found.last_send - found.first_completion)
                cpu = [found.cpu_seconds * each, found.standins_cpu_seconds * each]
                if order is not orders[0]:
                    rounds[workers].append([speed, *cpu, found.peak_memory_mb])
    rows = {f"{workers} workers": medians(figures) for workers, figures in rounds.items()}
    one, two, four = rows.values()
    checks = [
        Check("messages/s: 2 workers / 1", two[0] / one[0], at_least=1.0),
        Check("messages/s: 4 workers / 1", four[0] / one[0], at_least=1.0),
        Check("CPU of a message: 4 workers / 1", four[1] / one[1], at_most=1.5),
    ]
    notes = [
        f"{count} rounds of {CHATS:,} chats with a message each in turn, {CONCURRENCY} at once in each worker; medians"
    ]
    return Part("workers", kind, COLUMNS, rows, checks, notes, problems, details={"rounds": rounds})
