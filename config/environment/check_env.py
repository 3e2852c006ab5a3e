"""Show what a process makes of its environment: `manage.py check_env`. Needs no database and no settings."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.http.request import validate_host

from config.environment.dotenv import is_open_to_all
from config.environment.explain import QUOTES, EnvironmentProblems, unknown_names
from config.environment.read import Sources, Values, checked, find_sources
from config.environment.variables import SECRETS, SECTIONS, VARIABLES, Variable
from config.logs.redaction import redact

BASE = Path(__file__).resolve().parents[2]
HELP = "Lists everything that is wrong with the environment or, if nothing is, every variable and where it comes from."
PRODUCTION_HELP = "check as if ENVIRONMENT=production were set"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--production", action="store_true", help=PRODUCTION_HELP)


def main(arguments: list[str]) -> int:
    """Do what the arguments ask for and return the exit code."""
    parser = argparse.ArgumentParser(prog="manage.py check_env", description=HELP)
    add_options(parser)
    return check(parser.parse_args(arguments).production)


def check(production: bool) -> int:
    """Write every variable and what is doubtful to stdout and return 0, or what is wrong to stderr and return 1."""
    sources = find_sources(dict(os.environ), BASE)
    try:
        values = checked(sources, BASE, **({"ENVIRONMENT": "production"} if production else {}))
    except EnvironmentProblems as problems:
        sys.stderr.write(f"{problems}\n")
        return 1
    sys.stdout.write(report(sources, values, BASE))
    return 0


def report(sources: Sources, values: Values, base: Path) -> str:
    """Return every variable in its section with the value in force and its origin, then the warnings."""
    origins = {variable.name: origin_of(variable.name, sources) for variable in VARIABLES}
    name_width, origin_width = (max(map(len, column)) for column in (origins, origins.values()))
    lines = []
    for title, variables in SECTIONS.items():
        lines.append(f"{title}:")
        for variable in variables:
            origin = origins[variable.name]
            value = in_force(variable, values[variable.name], is_set=origin != "default")
            lines.append(f"  {variable.name:<{name_width}}  {origin:<{origin_width}}  {value}")
    found = warnings(sources, values, base)
    lines += ["", f"The environment is valid for {values['ENVIRONMENT']}, with {count(found)}"]
    return "\n".join([*lines, *(f"  - {warning}" for warning in found), ""])


def count(found: list[str]) -> str:
    """Return how many warnings there are, in words."""
    if not found:
        return "no warnings."
    return "1 warning:" if len(found) == 1 else f"{len(found)} warnings:"


def origin_of(name: str, sources: Sources) -> str:
    """Return where the value of a variable comes from."""
    if sources.merged.get(f"{name}_FILE"):
        return f"{name}_FILE"
    if not sources.merged.get(name, "").strip():
        return "default"
    # Where both say the same, .env may have been read into the environment already.
    in_dotenv = sources.dotenv.assigned.get(name)
    return ".env" if in_dotenv is not None and in_dotenv == sources.process.get(name, in_dotenv) else "environment"


def in_force(variable: Variable, value: Any, is_set: bool) -> str:
    """Return a value as one would write it, and of a secret only whether it is set."""
    if value and variable.location:
        return variable.location(value)
    if variable.secret:
        return "set" if is_set else "not set"
    return redact(written(value)) or "not set"


def written(value: Any) -> str:
    """Return a value as one would write it into .env; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


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
