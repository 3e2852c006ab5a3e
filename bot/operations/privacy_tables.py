"""Generator of the tables in docs/privacy.md from the retention table: `manage.py write_docs`."""

import re
from pathlib import Path

from bot.privacy.retention.entry import Entry
from bot.privacy.retention.table import SECTIONS
from config.environment.variables import SECTIONS as VARIABLES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
PART = re.compile(r"(<!-- what is kept: manage\.py write_docs -->\n).*?(<!-- end -->)", re.DOTALL)
HEADER = (
    "| table | what it holds, and why | personal data | kept | export and erasure |\n"
    "|---|---|---|---|---|\n"
)  # fmt: skip


def tables() -> str:
    """Return a table for each section of the retention table, with the settings' defaults."""
    return "".join(
        f"\n### {title}\n\n{HEADER}{''.join(map(row, entries))}" for title, entries in SECTIONS.items()
    ) + "\n"  # fmt: skip


def row(entry: Entry) -> str:
    """Return the row of a database table."""
    defaults = {variable.name: variable.default for section in VARIABLES.values() for variable in section}
    cells = [
        f"`{entry.model._meta.label}`",
        f"{entry.holds} {entry.why}",
        ", ".join(f"`{name}`" for name in entry.personal) or "none",
        entry.kept(defaults),
        entry.rights,
    ]
    return f"| {' | '.join(cells)} |\n"


def privacy(text: str) -> str:
    """Return the text of docs/privacy.md with its generated part updated."""
    return PART.sub(lambda part: part[1] + tables() + part[2], text)


def write() -> None:
    """Write the file."""
    DOCUMENT.write_text(privacy(DOCUMENT.read_text()))
