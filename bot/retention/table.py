"""The one table of what is kept: an entry for each database table. The purge does what it says, and nothing else."""

from collections.abc import Iterator

from bot.retention.costs import COSTS
from bot.retention.entry import Entry, Step
from bot.retention.messages import MESSAGES
from bot.retention.operation import OPERATION
from bot.retention.people import PEOPLE

SECTIONS = {
    "What people write": MESSAGES,
    "People": PEOPLE,
    "Usage and costs": COSTS,
    "Operation": OPERATION,
}
TABLE: tuple[Entry, ...] = tuple(entry for entries in SECTIONS.values() for entry in entries)


def steps() -> Iterator[Step]:
    """Yield everything that the purge does, in its order."""
    for entry in TABLE:
        yield from entry.steps
