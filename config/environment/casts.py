"""Turn the raw text of an environment variable into a plain value, or say what was expected.

No message holds a part of the value: there may be a secret in it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import environ

BOOLEANS = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}
DOLLARS = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,6})?")
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
HOST_NAME = re.compile(r"\*|\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
# Longer ones do not fit into the kernel's address of a socket (108 bytes, macOS 104), with the project's folder before.
LONGEST_SOCKET = 100


class Refused(ValueError):
    """A value is not what was expected; the text says so more exactly than the cast's `expected`."""


@dataclass(frozen=True)
class Cast:
    """Turn a raw text into a plain value. `expected` completes the sentence "NAME must be …"; empty: anything will do.

    convert is given the text without surrounding white space and may raise whatever it wants; accepts judges its value.
    """

    expected: str
    convert: Callable[[str], Any] = str
    accepts: Callable[[Any], object] = lambda value: True

    def __call__(self, raw: str) -> Any:
        """Return the value.

        Raises:
            ValueError: it is not what was expected; the text completes the sentence "NAME …".
        """
        try:
            value = self.convert(raw.strip())
            if not self.accepts(value):
                raise ValueError
        except Refused:
            raise
        except Exception:  # whatever a library's parsing meets
            raise ValueError(f"must be {self.expected}") from None
        return value


def split_words(value: str) -> list[str]:
    """Return the items of a comma-separated list; empty ones are dropped."""
    return [word.strip() for word in value.split(",") if word.strip()]


text = Cast("")
words = Cast("", split_words)
# No underscore: servers drop such names, or take them for hyphens.
header = Cast("the name of a header: letters, digits and hyphens", accepts=HEADER.fullmatch)
# The usual words for yes and no, and nothing else.
boolean = Cast("true or false", lambda value: BOOLEANS[value.lower()])
socket_path = Cast(
    f"the path of a Unix socket, {LONGEST_SOCKET} bytes at most",
    accepts=lambda path: 0 < len(path.encode()) <= LONGEST_SOCKET and "\0" not in path,
)
# Without a sign, a unit or separators of thousands, down to a micro-dollar.
dollars = Cast(
    "an amount of dollars such as 25 or 0.50, with at most 6 decimals",
    lambda value: Decimal(value) if DOLLARS.fullmatch(value) else None,
    lambda amount: amount is not None,
)
# One that this machine knows.
time_zone = Cast("a time zone such as UTC or Europe/Berlin", lambda name: ZoneInfo(name).key)
# Comma-separated, as Django matches them.
hosts = Cast(
    "host names such as parley.example.org, without scheme, port or path",
    split_words,
    lambda names: all(HOST_NAME.fullmatch(name) for name in names),
)


def micros(amount: Decimal | None) -> int | None:
    """Return dollars in micro-dollars, as money is kept everywhere; None stays None."""
    return None if amount is None else int(amount * 1_000_000)


def integer(minimum: int, maximum: int) -> Cast:
    """Return a cast to whole numbers from minimum to maximum."""
    expected = f"a whole number from {minimum} to {maximum}"
    return Cast(expected, int, lambda number: minimum <= number <= maximum)


def choice(*allowed: str) -> Cast:
    """Return a cast to one of the given words, in any case."""
    by_lower = {word.lower(): word for word in allowed}
    return Cast(f"one of {', '.join(allowed)}", lambda value: by_lower[value.lower()])


def choices(*allowed: str) -> Cast:
    """Return a cast to a list of the given words, comma-separated, each once, in any case; "none" is an empty list."""

    def convert(value: str) -> list[str]:
        given = [] if value.lower() == "none" else split_words(value.lower()) or [""]
        return list(dict.fromkeys(given))

    expected = f"a comma-separated list of {', '.join(allowed)}, or none"
    return Cast(expected, convert, lambda chosen: set(chosen) <= set(allowed))


def _region(value: str) -> str | None:
    # Imported here: 20 ms that only those pay who set a region.
    from phonenumbers import SUPPORTED_REGIONS

    return value.upper() if value.upper() in SUPPORTED_REGIONS else None


# A country whose phone numbers are known.
region = Cast("the two letters of a country, such as DE or GB", _region, bool)


def split_url(value: str) -> SplitResult:
    """Return the parts of an absolute URL with a host and, where there is one, a numeric port.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(value)
    # A slash in a password ends the host's part: what follows would be taken for the path, and shown.
    if not parts.hostname or parts.port == 0 or re.search(r"\s", value) or "@" in parts.path:
        raise ValueError
    return parts


def url(*schemes: str) -> Cast:
    """Return a cast to absolute URLs with one of the given schemes; a trailing slash is dropped."""
    expected = f"a URL that starts with {' or '.join(f'{it}://' for it in schemes)} and names a host"
    return Cast(expected, lambda value: value.rstrip("/"), lambda bare: split_url(bare).scheme in schemes)


def origin(*schemes: str) -> Cast:
    """Return a cast to URLs that end after host and port."""

    def ends_there(bare: str) -> bool:
        parts = split_url(bare)
        return parts.scheme in schemes and not (parts.path or parts.query or parts.fragment or parts.username)

    expected = f"{' or '.join(f'{scheme}://' for scheme in schemes)} and a host, without a path"
    return Cast(expected, lambda value: value.rstrip("/"), ends_there)


# Where the chat completions of servers are whose address is given as a host only. Most have them under /v1.
_USUAL_PATH = "/v1"
_PATHS = {
    ".azure.com": "/openai/v1",
    ".api.groq.com": "/openai/v1",
    ".openrouter.ai": "/api/v1",
    ".generativelanguage.googleapis.com": "/v1beta/openai",
    ".api.perplexity.ai": "",
    ".models.inference.ai.azure.com": "",
}
# What is added to the address for each request; it is often copied with it.
_ENDPOINT = re.compile(r"/(?:chat/completions|completions|responses|embeddings|models)$")


def _model_url(value: str) -> str:
    bare = value.rstrip("/")
    parts = split_url(bare)
    if parts.scheme not in {"http", "https"}:
        raise ValueError
    if "?" in value or "#" in value:
        raise Refused(
            "must have no ? and no #: paths are added to its end. "
            "Azure: https://<resource>.openai.azure.com/openai/v1, which needs no api-version"
        )
    if _ENDPOINT.search(parts.path):
        raise Refused("must end before /chat/completions, which is added to it: https://<host>/v1")
    host = f".{parts.hostname}"
    if host.endswith(".azure.com") and "/openai/deployments" in parts.path:
        raise Refused("must be Azure's newer address, https://<resource>.openai.azure.com/openai/v1")
    usual = [name for name in _PATHS if host.endswith(name)]
    return bare if parts.path else bare + (_PATHS[max(usual, key=len)] if usual else _USUAL_PATH)


# A host only is completed. (An address that ends with what is added to it gets 404 for each request.)
model_url = Cast("a URL that starts with http:// or https:// and names a host", _model_url)


def _is_sentry_dsn(value: str) -> bool:
    parts = split_url(value)
    return parts.scheme in {"http", "https"} and bool(parts.username) and parts.path.rsplit("/", 1)[-1].isdigit()


# What Sentry shows as a project's client key.
sentry_dsn = Cast("a Sentry DSN such as https://key@o1.ingest.sentry.io/1", accepts=_is_sentry_dsn)


def _database_url(value: str) -> dict[str, Any]:
    scheme, _, rest = value.partition("://")
    # sqlite://data/db.sqlite3 means the host "data": the library would silently open another file.
    if scheme.startswith("sqlite") and not rest.startswith("/") and value not in {"sqlite://", "sqlite://:memory:"}:
        raise Refused("must have three slashes and a path: sqlite:///path/to/file.sqlite3")
    # Asked first, because the library warns about other schemes and shows the password in the warning.
    if scheme not in {"postgres", "postgresql", "sqlite"}:
        raise ValueError
    if scheme != "sqlite" and re.search(r"[/#]", rest.partition("?")[0].rpartition("@")[0]):
        raise Refused("must have / and # of the user and the password written as %2F and %23")
    return dict(environ.Env.db_url_config(value))


# To Django's configuration of the database.
database_url = Cast(
    "a URL such as postgres://user:password@host:5432/name or sqlite:///path/to/file.sqlite3",
    _database_url,
    lambda config: config.get("NAME"),
)


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
