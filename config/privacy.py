"""Write the tables of docs/privacy.md from the table of what is kept: `python -m config.privacy`."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import django

from config.environment.variables import SECTIONS as VARIABLES

if TYPE_CHECKING:
    from bot.privacy.retention.entry import Entry

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "privacy.md"
PART = re.compile(r"(<!-- what is kept: python -m config\.privacy -->\n).*?(<!-- end -->)", re.DOTALL)
HEADER = (
    "| table | what it holds, and why | personal data | kept | export and erasure |\n"
    "|---|---|---|---|---|\n"
)  # fmt: skip


def tables() -> str:
    """Return a table for each section of what is kept, with the settings' defaults."""
    from bot.privacy.retention.table import SECTIONS

    return "".join(
        f"\n### {title}\n\n{HEADER}{''.join(map(row, entries))}" for title, entries in SECTIONS.items()
    ) + "\n"  # fmt: skip


def row(entry: "Entry") -> str:
    """Return the row of a table of the database."""
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
    """Return docs/privacy.md's text with its generated part as the table has it."""
    return PART.sub(lambda part: part[1] + tables() + part[2], text)


def main() -> None:
    """Write the file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    DOCUMENT.write_text(privacy(DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
