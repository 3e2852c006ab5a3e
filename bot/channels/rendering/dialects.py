"""How channels write what a document says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.channels.rendering.document import Mark

# Between two backticks it is seen by nobody, and keeps them from ending a fence.
_INVISIBLE = "\u200b"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A channel's own marks.

    marks: what stands before and after a marked run.
    fence: from a language to what stands before and after a code block, on lines of their own.
    escape: from text, of code too, to how it is written.
    between_words: a mark counts only where no letter or digit stands before it and after its end.
    """

    marks: Mapping[Mark, tuple[str, str]]
    fence: Callable[[str], tuple[str, str]]
    escape: Callable[[str], str]
    quote: str = "> "
    between_words: bool = False


def _whatsapp_fence(language: str) -> tuple[str, str]:
    return f"```{language}", "```"


def _without_fences(text: str) -> str:
    """Return text in which nothing begins or ends a code block. (WhatsApp has no escapes.)"""
    return text.replace("```", f"``{_INVISIBLE}`") if "```" in text else text


WHATSAPP = Dialect(
    marks={Mark.BOLD: ("*", "*"), Mark.ITALIC: ("_", "_"), Mark.STRIKE: ("~", "~"), Mark.CODE: ("`", "`")},
    fence=_whatsapp_fence,
    escape=_without_fences,
    between_words=True,
)
