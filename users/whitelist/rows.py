"""What a line of a list of people says, and what is to be said about lines. No database."""

import re
import unicodedata
from bisect import insort
from dataclasses import dataclass

from django.utils.translation import gettext as _

from users.phone import variants

# As many as a file in the desk has lines.
MOST_KEPT = 100_000
NAME_LENGTH = 200
# What a spreadsheet takes for the beginning of a formula. An apostrophe before it makes it text; one is put before
# apostrophes that stand there already, so that reading takes away what writing put there, and nothing else.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


class BadName(ValueError):
    """The name cannot be stored. The message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one line asks for: an empty name and no budget leave the person's as they are."""

    line: int
    number: str
    name: str = ""
    whitelisted: bool = True
    budget_micros: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """What is to be said about one line, as an editor counts them."""

    line: int
    text: str

    def __str__(self) -> str:
        return _("line %(line)s: %(text)s") % {"line": f"{self.line:,}", "text": self.text}


class Notes:
    """The first notes by line, and how many there are in all: memory stays bounded."""

    def __init__(self) -> None:
        self.first: list[Note] = []
        self.count = 0

    def add(self, line: int, text: str) -> None:
        """Note something about a line."""
        self.count += 1
        insort(self.first, Note(line, text))
        del self.first[MOST_KEPT:]

    def __add__(self, other: "Notes") -> "Notes":
        both = Notes()
        both.first = sorted(self.first + other.first)[:MOST_KEPT]
        both.count = self.count + other.count
        return both

    @property
    def more(self) -> int:
        """Return how many are not among the first."""
        return self.count - len(self.first)


def canonical(number: str) -> str:
    """Return the one of a number's equivalent spellings that stands for all of them: the shortest."""
    return min(variants(number), key=len)


def clean_name(text: str) -> str:
    """Return a name on one line, without control characters."""
    if not text.isprintable():
        text = "".join(
            character for character in text if character.isspace() or unicodedata.category(character) != "Cc"
        )
    return " ".join(text.split())


def check_name(text: str) -> str:
    """Return the name as it is stored.

    Raises:
        BadName: it is too long.
    """
    name = clean_name(text)
    if len(name) > NAME_LENGTH:
        reason = _("a name has at most %(most)s characters; this has %(count)s")
        raise BadName(reason % {"most": NAME_LENGTH, "count": f"{len(name):,}"})
    return name


def as_text(value: str) -> str:
    """Return value so that no spreadsheet runs it as a formula."""
    return f"'{value}" if FORMULA.match(value) else value


def from_text(value: str) -> str:
    """Undo as_text()."""
    return value[1:] if value.startswith("'") and FORMULA.match(value) else value
