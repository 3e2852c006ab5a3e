"""Recognise what came along with a value by mistake: a comment, quotes, white space, or an example of the manual.

A parser of texts would take each for a part of the value: a key that is refused hours later, a model that does not
exist. Every sentence completes "NAME …" and never holds a part of the value.
"""

import re

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
