"""Markdown of a model as the texts that a channel sends. Pure functions.

reading.py parses it into a document (document.py), dialects.py says how a channel writes bold, code and quotes,
lines.py writes one line that way, and parts.py packs lines into parts.
"""

import re

from bot.channels.rendering.dialects import Dialect
from bot.text import split

# Below that, marks and fences would take most of a part.
SMALLEST_LIMIT = 100

# Lists with "-" and with numbers, and quotes, are the same text in every dialect so far.
_MARKDOWN = re.compile(
    r"[*_`\[\\|]|~~|<\w|&#?\w+;|^[ \t>]*(?:#{1,6}[ \t]|~~~|\+[ \t]|-[ \t-]*-[ \t]*$|=+[ \t]*$)", re.MULTILINE
)
# All of it has one of these. (A search for each takes a tenth of the pattern's time.)
_SIGNS = "*_`[\\|~<&#+-="


def has_markdown(text: str) -> bool:
    """Return whether a text may have anything in it that a dialect writes otherwise."""
    return any(sign in text for sign in _SIGNS) and _MARKDOWN.search(text) is not None


def render(markdown: str, dialect: Dialect, limit: int) -> list[str]:
    """Return Markdown in the marks of a dialect, in parts of at most limit characters.

    Marks are balanced and fences are whole in each part. A cut is made between blocks, else between lines, else where
    a sentence or a word ends. Text without Markdown is split as it is.

    Raises:
        ValueError: limit is not positive.
        RecursionError: it is nested too deep.
    """
    if limit < SMALLEST_LIMIT or not has_markdown(markdown):
        return split(markdown, limit)
    # The parser is loaded by the first answer that needs it.
    from bot.channels.rendering.parts import pack
    from bot.channels.rendering.reading import read

    return pack(read(markdown), dialect, limit)
