"""The retention table: an entry for each database table. The purge executes it, and nothing else."""

from collections.abc import Iterator

from bot.privacy.retention.costs import COSTS
from bot.privacy.retention.entry import Entry, Step
from bot.privacy.retention.messages import MESSAGES
from bot.privacy.retention.operation import OPERATION
from bot.privacy.retention.people import PEOPLE

SECTIONS = {
    "What people write": MESSAGES,
    "People": PEOPLE,
    "Usage and costs": COSTS,
    "Operation": OPERATION,
}
TABLE: tuple[Entry, ...] = tuple(entry for entries in SECTIONS.values() for entry in entries)


def steps() -> Iterator[Step]:
    """Yield the steps of the purge in order."""
    for entry in TABLE:
        yield from entry.steps
