"""Find variables that nothing reads because their name was misspelt."""

from collections.abc import Iterable
from difflib import get_close_matches

from config.environment.variables import VARIABLES

# One letter wrong, missing or too many, and a little more; other programs' variables are not as near.
NEAR = 0.85
NAMES = frozenset(name for variable in VARIABLES for name in (variable.name, f"{variable.name}_FILE"))


def unknown_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (the variable that was probably meant, what to tell the operator) for each misspelt name."""
    found = []
    for name in sorted(set(names) - NAMES):
        for near in get_close_matches(name.upper(), NAMES, n=1, cutoff=NEAR):
            found.append((near.removesuffix("_FILE"), f"{name} is set, but nothing reads it: did you mean {near}?"))
    return found
