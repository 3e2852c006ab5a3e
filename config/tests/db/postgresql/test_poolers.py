"""A pooler is recognised by what it refuses, or by the process that answers, and once in each process."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from config.db.postgresql import poolers

pytestmark = pytest.mark.database

PARAMETERS = {"host": "db.invalid", "dbname": "parley", "options": "-c statement_timeout=15000"}


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    poolers.forget()
    yield
    poolers.forget()


def server(said: int, answers: int, refusal: str = "") -> tuple[Any, list[dict[str, Any]]]:
    """Return how to connect to a server that names one process and answers as another, and what it was given."""
    given: list[dict[str, Any]] = []

    def connect(parameters: dict[str, Any]) -> Any:
        given.append(parameters)
        if refusal and "options" in parameters:
            raise psycopg.OperationalError(refusal)
        rows = SimpleNamespace(fetchone=lambda: (answers,))
        return SimpleNamespace(execute=lambda statement: rows, info=SimpleNamespace(backend_pid=said), autocommit=False)

    return connect, given


@pytest.mark.parametrize(
    ("refusal", "answers", "pooled", "asked_for_limits"),
    [
        ("", 7, False, [True, True]),
        ("", 8, True, [True, False]),
        ("FATAL:  unsupported startup parameter: options", 8, True, [True, False, False]),
        ("Unsupported startup parameter: options", 8, True, [True, False, False]),
        ("unsupported startup parameter in options: statement_timeout", 7, True, [True, False, False]),
        ("RDS Proxy currently doesn't support command-line options.", 8, True, [True, False, False]),
    ],
)
def test_a_pooler_is_recognised_and_sent_no_options(
    refusal: str, answers: int, pooled: bool, asked_for_limits: list[bool]
) -> None:
    connect, given = server(7, answers, refusal)
    assert [poolers.connect_through(connect, PARAMETERS)[1] for _ in range(2)] == [pooled, pooled]
    assert ["options" in parameters for parameters in given] == asked_for_limits


def test_another_failure_is_not_taken_for_a_pooler() -> None:
    connect, given = server(7, 7, "connection refused")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        poolers.connect_through(connect, PARAMETERS)
    assert len(given) == 1
