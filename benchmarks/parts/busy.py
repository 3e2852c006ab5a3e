"""Whether webhooks stay fast while two clients have the pages burn all the CPU they can get."""

from collections import Counter

from benchmarks.databases import fresh
from benchmarks.figures import Check, Part, medians, ratio
from benchmarks.load import COLUMNS, P99, RATE, Contender, meanwhile, play
from benchmarks.processes import Run, seed
from benchmarks.rounds import rotated
from benchmarks.servers import web
from benchmarks.signed_in import sign_in

ROUNDS = 5
WARM_UP_SECONDS = 1.0
CLIENTS = 2
ALONE, BUSY = "alone", "beside busy pages"


def measure(run: Run, kind: str) -> Part:
    """Measure webhooks alone and beside the pages, in turns."""
    count = run.rounds or ROUNDS
    rounds: dict[str, list[list[float]]] = {ALONE: [], BUSY: []}
    problems: list[str] = []
    pages: Counter[str] = Counter()
    with fresh(kind, "busy", run.directory) as database:
        seed(database, 0, 1)
        session = sign_in(database)
        with web(run, database) as server:
            contender = Contender("Parley", server.front, database, "bot_inboundmessage")
            words = {"port": server.port, "cookie": session.cookie, "page": session.pages, "connections": CLIENTS}
            play(contender, "-warm", WARM_UP_SECONDS)
            for number in range(count):
                for name in rotated((ALONE, BUSY), number):
                    label = f"-{number}-{name.split()[0]}"
                    if name == ALONE:
                        figures, wrong = play(contender, label, run.seconds)
                    else:
                        stop = run.directory / f"stop{label}"
                        with meanwhile("page_load", stop, words, run.seconds + 120) as asked:
                            figures, wrong = play(contender, label, run.seconds)
                        pages.update(asked["statuses"])
                    rounds[name].append(figures)
                    problems += wrong
    if pages.keys() != {"200"}:
        problems.append(f"pages were answered with {dict(pages)}")
    rows = {name: medians(figures) for name, figures in rounds.items()}
    notes = [f"{count} rounds of {run.seconds:g} s each in turn; {CLIENTS} clients, {pages['200']:,} pages; medians"]
    checks = [
        Check("requests/s: busy / alone", ratio(rounds[BUSY], rounds[ALONE], RATE), at_least=0.3),
        Check("p99 beside busy pages", rows[BUSY][P99], "ms", at_most=50),
    ]
    return Part("busy", kind, COLUMNS, rows, checks, notes, problems, details={"rounds": rounds})
