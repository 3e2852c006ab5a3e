"""docs/operations/logs.md names every event that the code logs, and none that it does not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from config.tests.modules import BASE, module_files

DOCUMENT = BASE / "docs" / "operations" / "logs.md"
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
ROW = re.compile(r"^\| `([a-z_]+)`", re.MULTILINE)


def events_in(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (event, place) of all that a file logs, as logger.<method>(…) or Event(…).

    One that is no literal is named by its source.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        position = position_of_event(node.func) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and position is not None:
            yield ast.unparse(node.args[position]).strip("'"), f"{path.relative_to(BASE)}:{node.lineno}"


def position_of_event(called: ast.expr) -> int | None:
    """Return which argument of a call is an event's name; None where it logs nothing."""
    if isinstance(called, ast.Name):
        return 0 if called.id == "Event" else None
    if not isinstance(called, ast.Attribute) or called.attr not in METHODS:
        return None
    of_logger = isinstance(called.value, ast.Name) and called.value.id == "logger"
    return (1 if called.attr == "log" else 0) if of_logger else None


def logged_events() -> dict[str, str]:
    return {event: place for path in module_files(BASE).values() for event, place in events_in(path)}


# Variables: of users/admin/people.py, one of two events that others log as well.
CHOSEN = {"event", "name"}
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
