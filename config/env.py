"""Read the environment: every variable is declared once, parsed with its type, and every problem is listed at once.

config/variables.py holds the declaration; `load()` turns an environment into plain values. Nothing here needs Django's
settings: settings.py is built from the result.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import environ
from environ.fileaware_mapping import FileAwareMapping

from config.parsers import Parser
from config.redaction import redact

# What django-environ takes as an assignment; it drops every other line without a word.
ASSIGNMENT = re.compile(r"(?:export )?[A-Za-z_0-9]+=.*")
SHOWN_LENGTH = 60


@dataclass(frozen=True)
class Variable:
    """One environment variable: how it is read, what it means and what holds when it is absent or empty.

    The value of a secret is never shown, and it may be given in a file that `<name>_FILE` names.
    """

    name: str
    parse: Parser
    help: str
    default: Any = None
    secret: bool = False


class EnvironmentProblems(Exception):
    """Everything that is wrong with the environment, one line a problem, without the values of secrets."""

    def __init__(self, problems: list[str], hint: str = "") -> None:
        self.problems = problems
        noun = "problem" if len(problems) == 1 else "problems"
        lines = "\n".join(f"  - {problem}" for problem in problems)
        closing = f"See .env.example for every variable.{f' {hint}' if hint else ''}"
        super().__init__(f"The environment has {len(problems)} {noun}:\n{lines}\n{closing}")


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
        try:
            values[variable.name] = variable.parse(raw)
        except ValueError as error:
            # A key pasted into the wrong variable is no reason to show it.
            found = "" if variable.secret else f" (found {redact(raw.strip())[:SHOWN_LENGTH]!r})"
            problems.append(f"{variable.name} {error}{found}")
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
    except (OSError, ValueError):
        raise ValueError(f"{file_name} must name a readable text file") from None
    if not raw.strip():
        raise ValueError(f"{file_name} names an empty file")
    return raw


def read_dotenv(path: Path) -> list[str]:
    """Add the variables of a .env file to the process's environment and return what is wrong with the file.

    What is set already wins. A missing file is no problem, nor is a directory of that name (a virtual environment).
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        return []
    except UnicodeDecodeError:
        return [f"{path.name} must be UTF-8 text"]
    except OSError as error:
        return [f"{path.name} cannot be read ({error.strerror})"]
    lines = content.splitlines()
    problems = [
        f"{path.name} line {number} must be NAME=value, without spaces around the name"
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#") and not ASSIGNMENT.fullmatch(line)
    ]
    with_assignments = "\n".join(line for line in lines if ASSIGNMENT.fullmatch(line))
    environ.Env.read_env(StringIO(with_assignments), overwrite=False)
    return problems


def process_environment() -> dict[str, str]:
    """Return a copy of the process's environment."""
    return dict(os.environ)
