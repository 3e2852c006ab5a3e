"""Parsers of host names and URLs. None of their messages holds a part of the value: there may be a password in it."""

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ

from config.environment.parsers import Parser, Refused, accept, split_words

HOST_NAME = re.compile(r"\*|\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")


def _hosts(value: str) -> list[str]:
    names = split_words(value)
    accept(all(HOST_NAME.fullmatch(name) for name in names))
    return names


# Comma-separated, as Django matches them.
hosts = Parser("host names such as parley.example.org, without scheme, port or path", _hosts)


def url(*schemes: str) -> Parser:
    """Return a parser of absolute URLs with one of the given schemes; a trailing slash is dropped."""

    def convert(value: str) -> str:
        accept(split_url(value).scheme in schemes)
        return value.rstrip("/")

    return Parser(f"a URL that starts with {' or '.join(f'{it}://' for it in schemes)} and names a host", convert)


def origin(*schemes: str) -> Parser:
    """Return a parser of URLs that end after host and port."""

    def convert(value: str) -> str:
        bare = value.rstrip("/")
        parts = split_url(bare)
        accept(parts.scheme in schemes and not (parts.path or parts.query or parts.fragment or parts.username))
        return bare

    return Parser(f"{' or '.join(f'{scheme}://' for scheme in schemes)} and a host, without a path", convert)


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
    accept(split_url(value).scheme in {"http", "https"})
    if "?" in value or "#" in value:
        raise Refused(
            "must have no ? and no #: paths are added to its end. "
            "Azure: https://<resource>.openai.azure.com/openai/v1, which needs no api-version"
        )
    bare = value.rstrip("/")
    path, host = split_url(bare).path, split_url(bare).hostname or ""
    if _ENDPOINT.search(path):
        raise Refused("must end before /chat/completions, which is added to it: https://<host>/v1")
    if host.endswith(".azure.com") and "/openai/deployments" in path:
        raise Refused("must be Azure's newer address, https://<resource>.openai.azure.com/openai/v1")
    return bare if path else bare + usual_path(bare)


def usual_path(base_url: str) -> str:
    """Return the path under which a server has its chat completions, as far as its host tells."""
    host = f".{split_url(base_url).hostname}"
    found = [name for name in _PATHS if host.endswith(name)]
    return _PATHS[max(found, key=len)] if found else _USUAL_PATH


# A host only is completed. (An address that ends with what is added to it gets 404 for each request.)
model_url = Parser("a URL that starts with http:// or https:// and names a host", _model_url)


def _sentry_dsn(value: str) -> str:
    parts = split_url(value)
    accept(parts.scheme in {"http", "https"} and bool(parts.username) and parts.path.rsplit("/", 1)[-1].isdigit())
    return value


# What Sentry shows as a project's client key.
sentry_dsn = Parser("a Sentry DSN such as https://key@o1.ingest.sentry.io/1", _sentry_dsn)


def split_url(value: str) -> SplitResult:
    """Return the parts of an absolute URL with a host and, where there is one, a numeric port.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(value)
    accept(bool(parts.hostname) and (parts.port is None or parts.port > 0) and not re.search(r"\s", value))
    # A slash in a password ends the host's part: what follows would be taken for the path, and shown.
    accept("@" not in parts.path)
    return parts


def _database_url(value: str) -> dict[str, Any]:
    scheme, _, rest = value.partition("://")
    # sqlite://data/db.sqlite3 means the host "data": the library would silently open another file.
    if scheme.startswith("sqlite") and not rest.startswith("/") and value not in {"sqlite://", "sqlite://:memory:"}:
        raise Refused("must have three slashes and a path: sqlite:///path/to/file.sqlite3")
    # Asked first, because the library warns about other schemes and shows the password in the warning.
    accept(scheme in {"postgres", "postgresql", "sqlite"})
    if scheme != "sqlite" and re.search(r"[/#]", rest.partition("?")[0].rpartition("@")[0]):
        raise Refused("must have / and # of the user and the password written as %2F and %23")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(value)
    except Exception:  # the library raises whatever its parsing meets
        raise ValueError from None
    accept(bool(config.get("NAME")))
    return config


# Returns Django's configuration of the database.
database_url = Parser(
    "a URL such as postgres://user:password@host:5432/name or sqlite:///path/to/file.sqlite3", _database_url
)
