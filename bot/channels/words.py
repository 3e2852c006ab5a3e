"""Put what a message holds besides text into words for the model: short, on one line, in brackets, as data."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bot.text import clean

LONGEST_WORDS = 2_000
LONGEST_FACT = 500
# Of a list; and of objects inside of objects.
MOST_ITEMS = 20
DEEPEST = 4

_OTHER_BRACKETS = str.maketrans("[]", "()")


def fact(value: Any, longest: int = LONGEST_FACT) -> str:
    """Return a text or number on one line without square brackets, cut at the longest; of anything else nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        value = str(value)
    if not isinstance(value, str):
        return ""
    # (Cut first: cleaning megabytes of which a line is kept would hold up other deliveries.)
    line = " ".join(clean(value[: 4 * longest]).split()).translate(_OTHER_BRACKETS)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def told(label: str, *facts: str, always: bool = False) -> str:
    """Return "[label: fact; fact]" of those facts that are not empty; without any nothing, or the label alone."""
    given = "; ".join(each for each in facts if each)
    if not given:
        return f"[{label}]" if always else ""
    longest = LONGEST_WORDS - len(label)
    return f"[{label}: {given if len(given) <= longest else f'{given[:longest]}…'}]"


def joined(*texts: str) -> str:
    """Return the texts that are not empty, each on a line of its own."""
    return "\n".join(text for text in texts if text)


def objects(value: Any) -> Iterable[dict[str, Any]]:
    """Return the objects of what may be a list, MOST_ITEMS at most."""
    items = value if isinstance(value, list) else ()
    return islice((item for item in items if isinstance(item, dict)), MOST_ITEMS)


def named_values(node: Any, name: str = "", *, without: frozenset[str] = frozenset(), depth: int = 0) -> Iterator[str]:
    """Yield "name: value" of each value in an object, however deep; names of inner ones are joined by dots.

    A list of plain values is one value. without: the names of what is left out.
    """
    if isinstance(node, dict) and depth < DEEPEST:
        for key, value in islice(node.items(), MOST_ITEMS * 5):
            if key not in without:
                inner = f"{name}.{key}" if name else str(key)
                yield from named_values(value, inner, without=without, depth=depth + 1)
        return
    if isinstance(node, list) and any(isinstance(item, dict) for item in node) and depth < DEEPEST:
        for item in islice(node, MOST_ITEMS):
            yield from named_values(item, name, without=without, depth=depth + 1)
        return
    values = map(fact, islice(node, MOST_ITEMS)) if isinstance(node, list) else (fact(node),)
    if value := ", ".join(filter(None, values)):
        yield f"{fact(name, 100)}: {value}"
