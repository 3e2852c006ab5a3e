"""What a Markdown text consists of, whichever channel it goes to: blocks of lines, and lines of marked runs."""

from dataclasses import dataclass, field
from enum import Enum


class Mark(Enum):
    """How a run of text is set."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Run:
    """Text without a line break, and its marks, the outermost first."""

    text: str = field(repr=False)
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Fence:
    """A code block: lines that have the same one belong together. `language` is its info string, as it was written."""

    language: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: of a code block (with its fence), or of anything else.

    lead: a list item's indentation and marker. quotes: how many quotes it is in.
    """

    runs: tuple[Run, ...]
    lead: str = ""
    quotes: int = 0
    fence: Fence | None = None

    @property
    def text(self) -> str:
        """Its text without marks."""
        return "".join(run.text for run in self.runs)


# Between blocks there is an empty line, within one there is none.
Block = list[Line]


def is_spaced_letter(char: str) -> bool:
    """Return whether a character is a letter or digit of a script that puts spaces between words.

    Those scripts come first in Unicode; Thai, Chinese, Japanese and Korean (whose particles follow a word at once) are
    after them.
    """
    return char < "\u0e00" and char.isalnum()
