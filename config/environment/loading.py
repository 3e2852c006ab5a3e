"""Turn the process's environment into valid settings, or say everything that is wrong with it."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.environment.addresses import database_url
from config.environment.dotenv import Dotenv, read_dotenv
from config.environment.env import EnvironmentProblems, Values, load, process_environment, read
from config.environment.found import shown
from config.environment.unknown import unknown_names
from config.environment.variables import OPENAI_API_URL, VARIABLES

TEST_SECRET_KEY = "insecure-development-key-never-use-it-for-real-data"  # noqa: S105 (refused in production)
DOTENV_IGNORED = "The .env file here was not read: that happens in development only."
SECRETS = frozenset(variable.name for variable in VARIABLES if variable.secret)


@dataclass(frozen=True)
class Sources:
    """Where variables come from: the process's environment, and the .env file, if it is read. The former wins."""

    process: dict[str, str] = field(repr=False)
    dotenv: Dotenv
    dotenv_ignored: bool

    @property
    def merged(self) -> dict[str, str]:
        """Every variable as it counts."""
        return {**self.dotenv.assigned, **self.process}


def find_sources(process: dict[str, str], base: Path) -> Sources:
    """Return the sources of a process's variables; base is the project's directory.

    The .env file in base is read unless the environment itself says that this is not development: containers and tests
    say what they need. A .env file that says ENVIRONMENT=production is honoured, for servers configured by one file.
    """
    stated = process.get("ENVIRONMENT", "").strip().lower()
    if stated in {"", "development"}:
        return Sources(process, read_dotenv(base / ".env"), dotenv_ignored=False)
    return Sources(process, Dotenv(), dotenv_ignored=stated != "test" and (base / ".env").is_file())


def load_environment(base: Path) -> Values:
    """Return every variable's value for this process, and add those of the .env file to its environment.

    Raises:
        EnvironmentProblems: all of them at once.
    """
    sources = find_sources(process_environment(), base)
    for name, value in sources.dotenv.assigned.items():
        os.environ.setdefault(name, value)
    values = checked(sources, base)
    if values["ENVIRONMENT"] == "development" and not process_environment().get("SECRET_KEY_FILE"):
        # (What is started from here shares a key that was made up.)
        os.environ.setdefault("SECRET_KEY", values["SECRET_KEY"])
    return values


def checked(sources: Sources, base: Path, **changed: str) -> Values:
    """Return every variable's value, as if some were changed.

    Raises:
        EnvironmentProblems: all of them at once, with hints at what may be their cause.
    """
    source = {**sources.merged, **changed}
    values, problems = validate(source, base)
    problems = [*sources.dotenv.problems, *problems]
    if not problems:
        return values
    hints = [DOTENV_IGNORED] if sources.dotenv_ignored else []
    named = {variable_of(problem) for problem in problems}
    hints += [message for near, message in unknown_names(source) if near in named]
    raise EnvironmentProblems(problems, hints)


def key_of_this_process(environment: str) -> str:
    """Return the secret key of who has set none: the tests' is known, any other is new with each process."""
    return TEST_SECRET_KEY if environment == "test" else secrets.token_urlsafe(48)


def variable_of(problem: str) -> str:
    """Return the variable that a problem is about."""
    return problem.split(" ")[0].removesuffix("_FILE")


def validate(source: dict[str, str], base: Path) -> tuple[Values, list[str]]:
    """Return the values parsed from source, defaults filled in, and everything that is wrong with them."""
    problems: list[str] = []
    values = load(VARIABLES, source, problems)
    reported = {variable_of(problem) for problem in problems}
    # Production's rules hold only where production was asked for in words that are understood.
    production = values["ENVIRONMENT"] == "production"
    if not production:
        values["SECRET_KEY"] = values["SECRET_KEY"] or key_of_this_process(values["ENVIRONMENT"])
        values["DATABASE_URL"] = values["DATABASE_URL"] or database_url(f"sqlite:///{base / 'db.sqlite3'}")
        values["PUBLIC_URL"] = values["PUBLIC_URL"] or f"http://localhost:{values['PORT']}"
    if values["LLM_PROVIDER"] is None:
        elsewhere = values["OPENAI_BASE_URL"] != OPENAI_API_URL
        wants_model = production or values["OPENAI_API_KEY"] or elsewhere
        values["LLM_PROVIDER"] = "openai" if wants_model else "demo"
    anchor_database(values["DATABASE_URL"], base)
    rules = [*general_rules(values), *(production_rules(values) if production else ())]
    problems += [
        f"{name} {expected}{found_for_rule(name, source)}"
        for name, wrong, expected in rules
        if wrong and name not in reported
    ]
    return values, problems


def found_for_rule(name: str, source: dict[str, str]) -> str:
    """Return what was found in a variable that breaks a rule; nothing where it is not set at all."""
    given = name in source or f"{name}_FILE" in source
    return f" (found {shown(read(name, source), name in SECRETS)})" if given else ""


def wants_json_logs(values: Values) -> bool:
    """Return whether log lines are JSON: as LOG_FORMAT says, else in production."""
    by_default = values["ENVIRONMENT"] == "production"
    return bool(values["LOG_FORMAT"] == "json" or (values["LOG_FORMAT"] == "auto" and by_default))


Rule = tuple[str, bool, str]
"""A variable's name, whether it is wrong, and what was expected."""


def anchor_database(database: dict[str, Any] | None, base: Path) -> None:
    """Make a relative SQLite path relative to the project, whichever directory a process was started in."""
    if database and is_sqlite(database) and database["NAME"] != ":memory:":
        database["NAME"] = str(base / database["NAME"])


def is_sqlite(database: dict[str, Any] | None) -> bool:
    """Return whether the configuration is one of SQLite."""
    return bool(database) and str(database["ENGINE"]).endswith("sqlite3") if database else False


def general_rules(values: Values) -> list[Rule]:
    """Return what must hold everywhere: for the model to be reachable, and for processes to share the database."""
    openai = values["LLM_PROVIDER"] == "openai" and values["OPENAI_BASE_URL"] == OPENAI_API_URL
    key = values["OPENAI_API_KEY"]
    database = values["DATABASE_URL"]
    in_memory = is_sqlite(database) and database["NAME"] == ":memory:" and values["ENVIRONMENT"] != "test"
    otherwise = "or set OPENAI_BASE_URL to a server without keys, or LLM_PROVIDER=demo"
    return [
        ("OPENAI_API_KEY", openai and not key, f"is required ({otherwise})"),
        (
            "OPENAI_API_KEY",
            openai and bool(key) and not key.startswith("sk-"),
            "must start with sk- (unless OPENAI_BASE_URL points to another server)",
        ),
        ("DATABASE_URL", in_memory, "names a database in memory, which web, worker and scheduler cannot share"),
    ]


def production_rules(values: Values) -> list[Rule]:
    """Return what production requires."""
    database, secret_key, public_url = values["DATABASE_URL"], values["SECRET_KEY"] or "", values["PUBLIC_URL"] or ""
    guessable = secret_key == TEST_SECRET_KEY or secret_key.startswith("django-insecure-")
    weak = bool(secret_key) and (len(secret_key) < 50 or len(set(secret_key)) < 5 or guessable)
    sqlite = is_sqlite(database) and not values["ALLOW_SQLITE"]
    not_all = values["HSTS_PRELOAD"] and not values["HSTS_INCLUDE_SUBDOMAINS"]
    return [
        ("SECRET_KEY", not secret_key, "is required in production: at least 50 random characters"),
        ("SECRET_KEY", weak, "must be at least 50 random characters in production"),
        ("DATABASE_URL", database is None, "is required in production: postgres://user:password@host:5432/name"),
        ("DATABASE_URL", sqlite, "names SQLite: production wants PostgreSQL, or ALLOW_SQLITE=true"),
        ("REDIS_URL", not values["REDIS_URL"], "is required in production: redis://host:6379/0"),
        ("ALLOWED_HOSTS", not values["ALLOWED_HOSTS"], "is required in production: the host names of this server"),
        ("PUBLIC_URL", not public_url, "is required in production: https://the.host.name"),
        ("PUBLIC_URL", public_url.startswith("http://"), "must start with https:// in production"),
        ("HSTS_PRELOAD", not_all, "must go with HSTS_INCLUDE_SUBDOMAINS=true: browsers' makers take no other host"),
    ]
