"""How much memory it takes to wait for a slow model on behalf of a thousand people at once."""

from benchmarks.databases import fresh
from benchmarks.figures import Check, Part
from benchmarks.parts.backlog import answer_backlog
from benchmarks.processes import Run, seed

CHATS = 1_000
MODEL_SECONDS = 3.0
LIMIT_SECONDS = 90
COLUMNS = ("last reply s", "idle MB", "peak MB", "most at once", "CPU ms each")


def measure(run: Run, kind: str) -> Part:
    """Measure the time to the last reply and the peak resident memory of one worker with 1,000 turns."""
    with fresh(kind, "inflight", run.directory) as database:
        seed(database, 0, 0)
        result = answer_backlog(
            run, database, range(CHATS), concurrency=CHATS, delay=MODEL_SECONDS, limit=LIMIT_SECONDS
        )
    last = result.last_send - result.began
    at_once = most_at_once([request["time"] for request in result.completions], MODEL_SECONDS)
    row = [last, result.idle_memory_mb, result.peak_memory_mb, float(at_once), result.cpu_seconds / CHATS * 1_000]
    check = Check("peak memory of the worker", result.peak_memory_mb, "MB", at_most=150)
    notes = [f"{CHATS:,} chats become available at once, the model takes {MODEL_SECONDS:g} s; one round"]
    return Part("inflight", kind, COLUMNS, {"worker": row}, [check], notes, result.problems)


def most_at_once(starts: list[float], seconds: float) -> int:
    """Return how many of the requests, each of that length, were on their way at the busiest moment."""
    changes = sorted([(start, 1) for start in starts] + [(start + seconds, -1) for start in starts])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
