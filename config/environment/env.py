"""Read the environment: every variable is declared once, parsed with its type, and every problem is listed at once.

variables.py holds the declaration; `load()` turns an environment into plain values. Nothing here needs Django's
settings: settings.py is built from the result.
"""

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from environ.fileaware_mapping import FileAwareMapping

from config.environment.found import shown
from config.environment.mistakes import mistake_in
from config.environment.parsers import Parser

# Why a file cannot be read, in the words of operators.
FILE_ERRORS = {errno.ENOENT: "no such file", errno.EISDIR: "a directory"}


@dataclass(frozen=True)
class Variable:
    """One environment variable: how it is read, what it means and what holds when it is absent or empty.

    The value of a secret is never shown; `location` makes of a parsed one what may be. `implied` says what holds
    without it where that is no fixed default. Any variable may be given in a file that `<name>_FILE` names.
    `as_it_was` takes a value that would be refused as a mistake: a former version may have accepted it.
    """

    name: str
    parse: Parser
    help: str
    default: Any = None
    secret: bool = False
    location: Callable[[Any], str] | None = None
    implied: str = ""
    as_it_was: bool = False


class EnvironmentProblems(Exception):
    """Everything that is wrong with the environment, one line a problem, without the values of secrets."""

    def __init__(self, problems: list[str], hints: Iterable[str] = ()) -> None:
        self.problems = problems
        noun = "problem" if len(problems) == 1 else "problems"
        listed = [f"  - {problem}" for problem in problems]
        closing = ["docs/configuration.md explains every variable.", *hints]
        super().__init__("\n".join([f"The environment has {len(problems)} {noun}:", *listed, *closing]))


class Values(dict[str, Any]):
    """The parsed variables by name; a name that was never declared is a programming error (KeyError)."""


def load(variables: Iterable[Variable], source: Mapping[str, str], problems: list[str]) -> Values:
    """Parse every declared variable from source (`NAME`, or `NAME_FILE` naming a file that holds the value).

    What is wrong is appended to problems; the variable then has its default, so that later checks can go on.
    """
    values = Values()
    for variable in variables:
        values[variable.name] = variable.default
        try:
            raw = read(variable.name, source)
        except ValueError as error:
            problems.append(str(error))
            continue
        if not raw.strip():
            continue
        if mistake := None if variable.as_it_was else mistake_in(raw, secret=variable.secret):
            problems.append(f"{variable.name} {mistake} (found {shown(raw, variable.secret)})")
            continue
        try:
            values[variable.name] = variable.parse(raw)
        except ValueError as error:
            problems.append(f"{variable.name} {error} (found {shown(raw, variable.secret)})")
    return values


def read(name: str, source: Mapping[str, str]) -> str:
    """Return the raw text of a variable, from the environment or from the file its `_FILE` variant names.

    Raises:
        ValueError: the file cannot be used, or both ways are taken: which one wins would be a guess.
    """
    file_name = f"{name}_FILE"
    if not source.get(file_name):
        return source.get(name, "")
    if source.get(name, "").strip():
        raise ValueError(f"{name} and {file_name} are both set: keep one of them")
    try:
        raw = str(FileAwareMapping(env=dict(source), cache=False)[name])
    except (OSError, ValueError) as error:
        # The path itself is not shown: somebody may have put the secret there.
        reason = (
            FILE_ERRORS.get(error.errno or 0, "one that cannot be read")
            if isinstance(error, OSError)
            else "no UTF-8 text"
        )
        raise ValueError(f"{file_name} must name a readable text file (found {reason})") from None
    if not raw.strip():
        raise ValueError(f"{file_name} names an empty file")
    return raw


def process_environment() -> dict[str, str]:
    """Return a copy of the process's environment."""
    return dict(os.environ)
