"""Read the environment: valid values of every variable for this process, or everything that is wrong with them.

Nothing here needs Django's settings: settings.py is built from the result.
"""

import errno
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environ.fileaware_mapping import FileAwareMapping

from config.environment.casts import database_url
from config.environment.dotenv import Dotenv, read_dotenv
from config.environment.explain import EnvironmentProblems, mistake_in, shown, unknown_names
from config.environment.variables import OPENAI_API_URL, SECRETS, VARIABLES, Variable

Values = dict[str, Any]
"""The parsed variables by name; a name that was never declared is a programming error (KeyError)."""
Rule = tuple[str, object, str]
"""A variable's name, whether it is wrong, and what was expected."""

TEST_SECRET_KEY = "insecure-development-key-never-use-it-for-real-data"  # noqa: S105 (refused in production)
DOTENV_IGNORED = "The .env file here was not read: that happens in development only."
# Why a file cannot be read, in the words of operators.
FILE_ERRORS = {errno.ENOENT: "no such file", errno.EISDIR: "a directory"}


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
    sources = find_sources(dict(os.environ), base)
    for name, value in sources.dotenv.assigned.items():
        os.environ.setdefault(name, value)
    values = checked(sources, base)
    if values["ENVIRONMENT"] == "development" and not os.environ.get("SECRET_KEY_FILE"):
        # What is started from here shares a key that was made up.
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
    named = {variable_of(problem) for problem in problems}
    hints = [DOTENV_IGNORED] if sources.dotenv_ignored else []
    raise EnvironmentProblems(problems, [*hints, *(hint for near, hint in unknown_names(source) if near in named)])


def variable_of(problem: str) -> str:
    """Return the variable that a problem is about."""
    return problem.split(" ")[0].removesuffix("_FILE")


def validate(source: Mapping[str, str], base: Path) -> tuple[Values, list[str]]:
    """Return the values parsed from source, defaults filled in, and everything that is wrong with them.

    A variable that is wrong has its default, so that the others are checked all the same.
    """
    values: Values = {variable.name: variable.default for variable in VARIABLES}
    problems = []
    for variable in VARIABLES:
        try:
            if (raw := read(variable.name, source)).strip():
                values[variable.name] = parse(variable, raw)
        except ValueError as error:
            problems.append(str(error))
    reported = {variable_of(problem) for problem in problems}
    fill_in(values, base)
    for name, is_wrong, expected in rules(values):
        if is_wrong and name not in reported:
            given = name in source or f"{name}_FILE" in source
            found = f" (found {shown(read(name, source), name in SECRETS)})" if given else ""
            problems.append(f"{name} {expected}{found}")
    return values, problems


def read(name: str, source: Mapping[str, str]) -> str:
    """Return the raw text of a variable, from `NAME` or from the file that `NAME_FILE` names.

    Raises:
        ValueError: the file cannot be used, or both ways are taken: which one wins would be a guess.
    """
    file_name = f"{name}_FILE"
    if not source.get(file_name):
        return source.get(name, "")
    if source.get(name, "").strip():
        raise ValueError(f"{name} and {file_name} are both set: keep one of them")
    reason = "no UTF-8 text"
    try:
        raw = str(FileAwareMapping(env=dict(source), cache=False)[name])
    except (OSError, ValueError) as error:
        # The path itself is not shown: somebody may have put the secret there.
        if isinstance(error, OSError):
            reason = FILE_ERRORS.get(error.errno or 0, "one that cannot be read")
        raise ValueError(f"{file_name} must name a readable text file (found {reason})") from None
    if not raw.strip():
        raise ValueError(f"{file_name} names an empty file")
    return raw


def parse(variable: Variable, raw: str) -> Any:
    """Return the value of a variable's raw text.

    Raises:
        ValueError: the problem, with what was found.
    """
    wrong = None if variable.as_it_was else mistake_in(raw, secret=variable.secret)
    if wrong is None:
        try:
            return variable.parse(raw)
        except ValueError as error:
            wrong = str(error)
    raise ValueError(f"{variable.name} {wrong} (found {shown(raw, variable.secret)})")


def fill_in(values: Values, base: Path) -> None:
    """Fill in what depends on other variables, and make a relative SQLite path relative to the project."""
    production = values["ENVIRONMENT"] == "production"
    if not production:
        made_up = TEST_SECRET_KEY if values["ENVIRONMENT"] == "test" else secrets.token_urlsafe(48)
        values["SECRET_KEY"] = values["SECRET_KEY"] or made_up
        values["DATABASE_URL"] = values["DATABASE_URL"] or database_url(f"sqlite:///{base / 'db.sqlite3'}")
        values["PUBLIC_URL"] = values["PUBLIC_URL"] or f"http://localhost:{values['PORT']}"
    if values["LLM_PROVIDER"] is None:
        wants_model = production or values["OPENAI_API_KEY"] or values["OPENAI_BASE_URL"] != OPENAI_API_URL
        values["LLM_PROVIDER"] = "openai" if wants_model else "demo"
    database = values["DATABASE_URL"]
    if is_sqlite(database) and database["NAME"] != ":memory:":
        database["NAME"] = str(base / database["NAME"])


def is_sqlite(database: dict[str, Any] | None) -> bool:
    """Return whether the configuration is one of SQLite."""
    return database is not None and str(database["ENGINE"]).endswith("sqlite3")


def wants_json_logs(values: Values) -> bool:
    """Return whether log lines are JSON: as LOG_FORMAT says, else in production."""
    by_default = values["ENVIRONMENT"] == "production"
    return bool(values["LOG_FORMAT"] == "json" or (values["LOG_FORMAT"] == "auto" and by_default))


def rules(values: Values) -> list[Rule]:
    """Return what must hold: for the model to be reachable, for processes to share the database, and for production.

    Production's rules hold only where production was asked for in words that are understood.
    """
    openai = values["LLM_PROVIDER"] == "openai" and values["OPENAI_BASE_URL"] == OPENAI_API_URL
    key, database = values["OPENAI_API_KEY"], values["DATABASE_URL"]
    in_memory = is_sqlite(database) and database["NAME"] == ":memory:" and values["ENVIRONMENT"] != "test"
    otherwise = "or set OPENAI_BASE_URL to a server without keys, or LLM_PROVIDER=demo"
    everywhere: list[Rule] = [
        ("OPENAI_API_KEY", openai and not key, f"is required ({otherwise})"),
        (
            "OPENAI_API_KEY",
            openai and key and not key.startswith("sk-"),
            "must start with sk- (unless OPENAI_BASE_URL points to another server)",
        ),
        ("DATABASE_URL", in_memory, "names a database in memory, which web, worker and scheduler cannot share"),
    ]
    if values["ENVIRONMENT"] != "production":
        return everywhere
    secret_key, public_url = values["SECRET_KEY"] or "", values["PUBLIC_URL"] or ""
    guessable = secret_key == TEST_SECRET_KEY or secret_key.startswith("django-insecure-")
    weak = secret_key and (len(secret_key) < 50 or len(set(secret_key)) < 5 or guessable)
    sqlite = is_sqlite(database) and not values["ALLOW_SQLITE"]
    not_all = values["HSTS_PRELOAD"] and not values["HSTS_INCLUDE_SUBDOMAINS"]
    return [
        *everywhere,
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
