"""docs/operations/logs.md names every event that the code logs, and none that it does not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from config.tests.test_imports import BASE, module_files

DOCUMENT = BASE / "docs" / "operations" / "logs.md"
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
ROW = re.compile(r"^\| `([a-z_]+)`", re.MULTILINE)


def events_in(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (event, place) of every logger.<method>(…) in a file; one that is no literal is named by its source."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            of_logger = isinstance(node.func.value, ast.Name) and node.func.value.id == "logger"
            if of_logger:
                event = node.args[1 if node.func.attr == "log" else 0]
                yield ast.unparse(event).strip("'"), f"{path.relative_to(BASE)}:{node.lineno}"


def logged_events() -> dict[str, str]:
    return {event: place for path in module_files(BASE).values() for event, place in events_in(path)}


# A variable of users/admin.py, which holds one of two events that others log as well.
CHOSEN = {"event"}
# Set on a record, or made of a library's record.
MADE = {"log_line_failed", "request_failed"}


def test_every_event_is_documented_and_every_documented_event_is_logged():
    found = logged_events()
    events = (found.keys() - CHOSEN) | MADE
    documented = set(ROW.findall(DOCUMENT.read_text()))
    assert events - documented == set(), "add them to docs/operations/logs.md"
    assert documented - events == set(), "nothing logs them any more"


def test_events_are_names():
    for event, place in logged_events().items():
        assert re.fullmatch(r"[a-z][a-z_]+", event), f"{place}: {event!r} is no name of an event"
