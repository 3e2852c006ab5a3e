"""Exceptions as text that may leave the process: which and where, but not what they say. Standard library only.

Nobody knows what an exception's text quotes: a database's the row, a library's the request, a parser's what a person
wrote. The class, the chain of causes and every frame with its line of source stay.
"""

import os
import traceback
from collections.abc import Iterator

WITHHELD = "[text withheld]"
# A chain that is longer says nothing new.
MOST_LINKS = 8
CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def safe_text(error: BaseException) -> str:
    """Return what may be shown of an exception's own words.

    A class whose texts are ours and hold nothing personal says so: `text_is_safe = True`.
    """
    if getattr(type(error), "text_is_safe", False):
        return str(error)
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"[Errno {error.errno}] {os.strerror(error.errno)}"
    return WITHHELD if str(error) else ""


def class_name(error: BaseException) -> str:
    """Return an exception's class with its module, as tracebacks name it."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def links(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield the exception and what led to it, each with the words that lead over to it; the newest first."""
    current, seen = error, set[int]()
    while id(current) not in seen and len(seen) < MOST_LINKS:
        seen.add(id(current))
        if current.__cause__ is not None:
            yield current, CAUSE
            current = current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            yield current, CONTEXT
            current = current.__context__
        else:
            yield current, ""
            return


def format_safely(error: BaseException) -> str:
    """Return the traceback of an exception and of its causes, as Python prints it, with safe texts only."""
    parts = []
    for link, leads_over in links(error):
        text = safe_text(link)
        frames = "".join(traceback.format_tb(link.__traceback__))
        head = "Traceback (most recent call last):\n" if frames else ""
        parts.append(f"{leads_over}{head}{frames}{class_name(link)}{f': {text}' if text else ''}\n")
        if isinstance(link, BaseExceptionGroup):
            inner = (f"{class_name(one)}: {safe_text(one)}" for one in link.exceptions[:MOST_LINKS])
            parts[-1] += "".join(f"  {line}\n" for line in inner)
    return "".join(reversed(parts)).rstrip("\n")
