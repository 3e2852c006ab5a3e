"""A signed-in owner in a database with the demo's rows."""

import json
from dataclasses import dataclass

from benchmarks.databases import Database
from benchmarks.processes import environment, python

SEED_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Session:
    """The Cookie header of an owner's session, and the pages that a busy operator looks at."""

    cookie: str
    pages: list[str]


def sign_in(database: Database, *, demo: bool = True) -> Session:
    """Write the demo's rows, if wanted, and sign in an owner."""
    words = ["--demo"] if demo else []
    said = python("-m", "benchmarks.sign_in", *words, env=environment(database), seconds=SEED_SECONDS)
    return Session(**json.loads(said))
