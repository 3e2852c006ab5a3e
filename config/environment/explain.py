"""Say what is wrong with a variable, and what was found in it, without a word of what is or may be a secret.

A password that was put into the wrong variable looks like any other word: what is said of one is its length and which
public mark of a kind it begins with. What came along with a value by mistake (a comment, quotes, white space, an
example of the manual) is recognised before a cast would take it for a part of the value: a key that is refused hours
later, a model that does not exist.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from config.environment.variables import VARIABLES
from config.logs.redaction import redact

QUOTES = "\"'`“”‘’"
COMMENT = re.compile(r"(?:^|\s)#(?:\s|$)|\s#")
# What the manual and .env.example write where a secret has to stand, and what else people write there at first.
PLACEHOLDER = re.compile(
    r"<[a-z][^<>]{2,}>|(?:\.\.\.|…)$|^(?:sk-|django-insecure-)?(?:change|replace)[-_ ]?(?:me|it|this)(?![a-z])"
    r"|^(?:sk-)?your[-_ ]|^(?:sk-)?x{3,}$|^sk-0123456789abcdef$|^(?:sk-)?placeholder$"
    r"|://user:password@host(?=[:/]|$)|://key@o1\.ingest\.sentry\.io/",
    re.IGNORECASE,
)
IN_FILES = ("sqlite:",)
SHOWN_LENGTH = 60
# Public marks of kinds of keys, tokens and URLs: they belong to everybody who has one.
MARKS = ("sk-", "sk_", "pk-", "pk_", "gsk_", "xai-", "AIza", "EAA", "whsec_", "Bearer ", "django-insecure-")
SCHEMES = ("postgres", "postgresql", "mysql", "sqlite", "redis", "rediss", "http", "https")
# What a person does not type: it may be a key in the wrong variable.
TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/=_-]{20,}")
# One letter wrong, missing or too many, and a little more; other programs' variables are not as near.
NEAR = 0.85
NAMES = frozenset(name for variable in VARIABLES for name in (variable.name, f"{variable.name}_FILE"))


class EnvironmentProblems(Exception):
    """Everything that is wrong with the environment, one line a problem, without the values of secrets."""

    def __init__(self, problems: list[str], hints: Iterable[str] = ()) -> None:
        self.problems = problems
        noun = "problem" if len(problems) == 1 else "problems"
        listed = [f"  - {problem}" for problem in problems]
        closing = ["docs/configuration.md explains every variable.", *hints]
        super().__init__("\n".join([f"The environment has {len(problems)} {noun}:", *listed, *closing]))


def mistake_in(raw: str, *, secret: bool) -> str | None:
    """Return what is wrong with a raw value, whatever its parser would say of it; None: nothing."""
    value = raw.strip()
    if secret and PLACEHOLDER.search(value):
        return "is an example's value: put your own in its place"
    if COMMENT.search(value):
        return "must not have a comment behind it, which would be part of it: put that on a line of its own"
    return mistake_in_secret(value) if secret and not value.startswith(IN_FILES) else None


def mistake_in_secret(value: str) -> str | None:
    """Return why a text without surrounding white space is no secret; None: it may be one."""
    if value and (value[0] in QUOTES or value[-1] in QUOTES):
        return "must not have quotes around it, which would be part of it: leave them out"
    if re.search(r"\s", value):
        return "must not have white space inside: something else was pasted along with it"
    return None


def shown(raw: str, secret: bool) -> str:
    """Return what was found, for the end of a sentence: quoted, or described where it is or may be a secret."""
    value = raw.strip()
    if not value:
        return "nothing but white space" if raw else "an empty value"
    if secret or may_be_secret(value):
        return described(value)
    return repr(redact(value)[:SHOWN_LENGTH])


def may_be_secret(value: str) -> bool:
    """Return whether a value looks like a key, or like a URL with a password, although its variable holds none."""
    return bool(TOKEN.fullmatch(value)) or "@" in value


def described(value: str) -> str:
    """Return the kind of a secret text, without any of it but public marks: `12 characters that start with pk-`."""
    bare = value.strip(QUOTES)
    kind = f"{len(value)} character{'' if len(value) == 1 else 's'}"
    scheme = next((scheme for scheme in SCHEMES if bare.startswith(f"{scheme}://")), None)
    mark = next((mark for mark in MARKS if bare.startswith(mark)), None)
    if scheme:
        kind = f"a {scheme}:// URL of {kind}"
    elif mark:
        kind += f" that start with {mark.strip()}"
    extras = [
        ("in quotes", len(value) > 1 and value[0] in QUOTES and value[-1] in QUOTES),
        ("with white space inside", bool(re.search(r"\s", bare))),
        (f"only {len(set(value))} different", len(value) > 4 and len(set(value)) < 5),
    ]
    return ", ".join([kind, *(text for text, applies in extras if applies)])


def unknown_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (the variable that was probably meant, what to tell the operator) for each misspelt name."""
    found = []
    for name in sorted(set(names) - NAMES):
        for near in get_close_matches(name.upper(), NAMES, n=1, cutoff=NEAR):
            found.append((near.removesuffix("_FILE"), f"{name} is set, but nothing reads it: did you mean {near}?"))
    return found
