"""Say what was found in a variable: as it stands where that is harmless, else what kind of text it is.

Of a secret nothing is ever quoted, and nothing of what may be one: a password that was put into the wrong variable
looks like any other word. What is said of it is its length and which public mark of a kind it begins with.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from config.environment.mistakes import QUOTES
from config.logs.redaction import redact

SHOWN_LENGTH = 60
# Public marks of kinds of keys, tokens and URLs: they belong to everybody who has one.
MARKS = ("sk-", "sk_", "pk-", "pk_", "gsk_", "xai-", "AIza", "EAA", "whsec_", "Bearer ", "django-insecure-")
SCHEMES = ("postgres", "postgresql", "mysql", "sqlite", "redis", "rediss", "http", "https")
# What a person does not type: it may be a key in the wrong variable.
TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/=_-]{20,}")


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


def database_location(config: dict[str, Any]) -> str:
    """Return where a database is, from Django's configuration of it: a URL without its user and password."""
    if str(config["ENGINE"]).endswith("sqlite3"):
        return f"sqlite:///{config['NAME']}"
    credentials = "[credentials]@" if config["USER"] or config["PASSWORD"] else ""
    port = f":{config['PORT']}" if config["PORT"] else ""
    return f"postgres://{credentials}{config['HOST']}{port}/{config['NAME']}"


def url_location(url: str) -> str:
    """Return a URL that was accepted, without its user, password and query."""
    parts = urlsplit(url)
    credentials, _, host = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{'[credentials]@' if credentials else ''}{host}{parts.path}"
