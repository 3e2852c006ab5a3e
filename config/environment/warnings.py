"""What is valid in an environment, and yet probably not what was meant."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.http.request import validate_host

from config.environment.dotenv import is_open_to_all
from config.environment.env import Values
from config.environment.loading import SECRETS, Sources
from config.environment.mistakes import QUOTES
from config.environment.unknown import unknown_names
from config.environment.variables import VARIABLES


def warnings(sources: Sources, values: Values, base: Path) -> list[str]:
    """Return a sentence for each doubt about a valid environment; secrets are not shown."""
    found = [message for _near, message in unknown_names(sources.merged)]
    found += [message for variable in VARIABLES for message in about_value(variable.name, sources)]
    found += about_dotenv(sources, base)
    found += about_model_url(sources, values)
    if values["ENVIRONMENT"] == "production":
        found += about_hosts(values)
    return found


def about_value(name: str, sources: Sources) -> Iterator[str]:
    """Yield what is odd about the way in which one variable is written."""
    raw = sources.merged.get(name, "")
    value = raw.strip()
    in_dotenv = sources.dotenv.assigned.get(name)
    if in_dotenv is not None and in_dotenv != sources.process.get(name, in_dotenv):
        yield f"{name} is set in the environment and in .env: the environment's value counts"
    if value != raw and value:
        yield f"{name} has white space around its value, which is dropped"
    if len(value) > 1 and value[0] in QUOTES and value[-1] in QUOTES:
        yield f"{name} has quotes around its value, which are part of it: leave them out"


def about_dotenv(sources: Sources, base: Path) -> Iterator[str]:
    """Yield what is odd about the .env file."""
    if sources.dotenv_ignored:
        yield ".env is not read, because the environment itself sets ENVIRONMENT to something else than development"
    if SECRETS & sources.dotenv.assigned.keys() and is_open_to_all(base / ".env"):
        yield ".env holds secrets and can be read by everybody on this machine: chmod 600 .env"


def about_model_url(sources: Sources, values: Values) -> Iterator[str]:
    """Yield which path was added to a model server's address that has none."""
    raw = sources.merged.get("OPENAI_BASE_URL", "").strip().rstrip("/")
    if raw and (added := values["OPENAI_BASE_URL"].removeprefix(raw)):
        yield f"OPENAI_BASE_URL names a host without a path: {added} is added to it"


def about_hosts(values: Values) -> Iterator[str]:
    """Yield why pages might not be shown, or be shown under a name that somebody else chose."""
    host = urlsplit(values["PUBLIC_URL"]).hostname or ""
    if "*" in values["ALLOWED_HOSTS"]:
        yield "ALLOWED_HOSTS accepts every host name: name those of this server"
    elif not validate_host(host, values["ALLOWED_HOSTS"]):
        yield f"PUBLIC_URL names {host}, which ALLOWED_HOSTS does not accept: the admin will answer 400 there"
