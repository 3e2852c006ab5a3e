"""Safe tracebacks: classes, causes and frames of exceptions, without their messages. Standard library only.

A message may quote anything: a database's error the row, a library's the request, a parser's a person's text.
"""

import os
import traceback
from collections.abc import Iterator

WITHHELD = "[text withheld]"
# Longer chains add nothing.
MOST_LINKS = 8
CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def safe_text(error: BaseException) -> str:
    """Return the part of an exception's message that may be shown.

    A class whose messages are ours and hold nothing personal declares `text_is_safe = True`.
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
    """Yield the exception and its causes, each with the phrase that introduces it; the newest first."""
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
    """Return the traceback of an exception and its causes, as Python prints it, with safe messages only."""
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
