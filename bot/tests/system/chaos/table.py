"""One table of all runs: a column a database."""

from collections.abc import Callable, Sequence

from bot.tests.system.chaos.figures import Figures

ROWS: tuple[tuple[str, Callable[[Figures], object]], ...] = (
    ("", lambda it: it.database),
    ("proxy in front of the webs", lambda it: it.proxy or "none"),
    ("messages sent in (accepted with 200)", lambda it: it.sent_in),
    ("deliveries repeated after a 200", lambda it: it.repeated),
    ("answered", lambda it: it.answered),
    ("replies that were an apology (the model failed)", lambda it: it.apologies),
    ("dead letters", lambda it: it.dead),
    ("expired", lambda it: it.expired),
    ("uncertain at the end", lambda it: it.uncertain),
    ("uncertain sends resolved by a status", lambda it: it.resolved),
    ("lost", lambda it: it.lost),
    ("doubled", lambda it: it.doubled),
    ("stuck", lambda it: it.stuck),
    ("disordered", lambda it: it.disordered),
    ("leases still held", lambda it: it.leases),
    ("kills of web / of workers", lambda it: f"{it.web_kills} / {it.worker_kills}"),
    ("outages of PostgreSQL / of Redis", lambda it: f"{_outages(it, 'PostgreSQL')} / {_outages(it, 'Redis')}"),
    ("processes ended in order", lambda it: len(it.exits)),
    ("  of these forced to (a web, by granian)", lambda it: len(it.forced)),
    ("processes that fell by themselves, or were to", lambda it: len(it.fallen)),
    ("leases of killed workers", lambda it: it.recovered),
    ("recovery, median / slowest, s", lambda it: f"{it.recovery_p50} / {it.recovery_max}"),
    ("load / until all was answered, s", lambda it: f"{it.load_seconds} / {it.settle_seconds}"),
    ("webhooks: 200 / refused / other", lambda it: " / ".join(str(times) for times in _answers(it))),
)


def table(runs: Sequence[Figures]) -> str:
    """Return the table as text, under the mode and the seed."""
    rows = [(label, *(str(value(figures)) for figures in runs)) for label, value in ROWS]
    widths = [max(len(row[column]) for row in rows) for column in range(len(runs) + 1)]
    lines = [
        f"{row[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    return "\n".join([f"mode {runs[0].mode}, seed {runs[0].seed}", *lines])


def _answers(figures: Figures) -> tuple[int, int, int]:
    good, refused = figures.answers.get("200", 0), figures.answers.get("refused", 0)
    return good, refused, sum(figures.answers.values()) - good - refused


def _outages(figures: Figures, server: str) -> int:
    return sum(server in outage for outage in figures.outages)
