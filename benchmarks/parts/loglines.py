"""What the log lines of a message cost: as JSON with redaction, in the least form there is, and with logging off."""

import json
from typing import Any

from benchmarks.figures import Check, Part, medians
from benchmarks.processes import Run, environment, python

ROUNDS = 3
MESSAGES = 10_000
LIMIT_SECONDS = 120
COLUMNS = ("CPU ms a message", "µs a line")
FORMS = {"JSON, redacted": "json", "logging.Formatter": "plain", "off (ids are bound)": "off"}


def measure(run: Run, kind: str) -> Part:
    """Write the lines of whole turns in each form, in turns."""
    rounds: dict[str, list[list[float]]] = {label: [] for label in FORMS}
    count = run.rounds or ROUNDS
    lines = 0.0
    for _ in range(count):
        for label, form in FORMS.items():
            words = ("-m", "benchmarks.log_lines", form, str(MESSAGES))
            said: dict[str, Any] = json.loads(python(*words, env=environment(), seconds=LIMIT_SECONDS))
            lines = said["lines"]
            rounds[label].append([said["ms"], said["ms"] / lines * 1_000])
    rows = {label: medians(figures) for label, figures in rounds.items()}
    ours, plain, _ = (row[0] for row in rows.values())
    checks = [
        Check("JSON, redacted", ours, "ms", at_most=0.3),
        Check("JSON, redacted / logging.Formatter", ours / plain),
    ]
    notes = [f"{count} rounds of {MESSAGES:,} messages with {lines:g} lines each (web and worker); medians"]
    return Part("logging", kind, COLUMNS, rows, checks, notes, details={"rounds": rounds})
