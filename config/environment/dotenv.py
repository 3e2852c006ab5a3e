"""Read a .env file: its assignments, and what is wrong with it."""

import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import environ

# What django-environ takes as an assignment; it drops every other line without a word.
ASSIGNMENT = re.compile(r"(?:export )?([A-Za-z_0-9]+)=.*")
FIRST_DOTENV = """\
# This installation's configuration. .env.example explains every variable.
ENVIRONMENT=development
SECRET_KEY={secret_key}
"""


@dataclass(frozen=True)
class Dotenv:
    """What a .env file assigns, and everything that is wrong with it, one line a problem, without its values."""

    assigned: dict[str, str] = field(default_factory=dict, repr=False)
    problems: list[str] = field(default_factory=list)


def read_dotenv(path: Path) -> Dotenv:
    """Return what a .env file says. A missing file says nothing, nor does a directory (a virtual environment)."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        return Dotenv()
    except UnicodeDecodeError:
        return Dotenv(problems=[f"{path.name} must be UTF-8 text"])
    except OSError as error:
        return Dotenv(problems=[f"{path.name} cannot be read ({error.strerror})"])
    lines = content.splitlines()
    with_assignments = "\n".join(line for line in lines if ASSIGNMENT.fullmatch(line))
    return Dotenv(parse(with_assignments), line_problems(path.name, lines))


def line_problems(name: str, lines: list[str]) -> list[str]:
    """Return what is wrong with the lines: those that would be lost, and names that have two values."""
    problems, first = [], dict[str, int]()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        assignment = ASSIGNMENT.fullmatch(line)
        if assignment is None:
            problems.append(f"{name} line {number} must be NAME=value, without spaces around the name")
        elif (before := first.setdefault(assignment[1], number)) != number:
            problems.append(f"{name} line {number} sets {assignment[1]}, which line {before} has set: keep one of them")
    return problems


def parse(content: str) -> dict[str, str]:
    """Return the assignments of a .env file's text, quotes taken away."""

    class Apart(environ.Env):
        """Collects what it reads, instead of putting it into the process's environment."""

        ENVIRON: dict[str, str] = {}

    Apart.read_env(StringIO(content))
    return Apart.ENVIRON


def is_open_to_all(path: Path) -> bool:
    """Return whether everybody on this machine may read the file."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def create_dotenv(path: Path) -> bool:
    """Create a .env file with a random secret key, readable by its owner only, unless there is one.

    Returns whether it was created. Whoever sees the file sees all of it: it is linked when it is written.
    """
    if path.exists():
        return False
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(FIRST_DOTENV.format(secret_key=secrets.token_urlsafe(48)))
        os.link(draft, path)
    except FileExistsError:  # another process was quicker
        return False
    finally:
        draft.unlink()
    return True
