"""Everybody's budget over several worker processes, and a worker that is killed while the model works."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.tests.factories import whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.processes import System, running_system, wait_for
from config.parsers import database_url

pytestmark = pytest.mark.processes

PEOPLE = [f"+49151400000{number:02}" for number in range(30)]
OVER = "I can't answer any more today. Please try again tomorrow."
# The stand-in bills 1 + 60 / 4 tokens for it: exactly the answer's cap.
ANSWER = "x" * 60
ANSWER_TOKENS = 16

# The answer costs a micro-dollar a token, the question nothing: a call costs what is reserved for it.
SEED = f"""
from usage.managers import today
from usage.models import ModelPrice
from users.models import User
ModelPrice.objects.create(model="gpt-6-luna", valid_from=today(), input_micros_per_million=0,
                          output_micros_per_million=1_000_000)
for number in {PEOPLE!r}:
    User.objects.create_user(number, is_whitelisted=True)
"""

HALF_A_MINUTE_PASSES = """
from bot.models import Lease
from django.utils import timezone
Lease.objects.update(expires_at=timezone.now())
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path) as running:
        running.environment["MAX_REPLY_TOKENS"] = str(ANSWER_TOKENS)
        running.manage("shell", "--verbosity", "0", "--command", SEED)
        yield running


def rows(system: System, statement: str) -> list[tuple[Any, ...]]:
    """Return what a statement finds in the system's database."""
    url = system.environment["DATABASE_URL"]
    if url.startswith("sqlite"):
        import sqlite3

        connection = sqlite3.connect(database_url(url)["NAME"], timeout=20)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url) as server:
        return server.execute(statement).fetchall()


def everybodys(system: System) -> tuple[int, int]:
    """Return (spent, reserved) of the day."""
    found = rows(system, "SELECT spent_micros, reserved_micros FROM usage_dailyspend WHERE user_id IS NULL")
    return found[0] if found else (0, 0)


def write(system: System, people: list[str]) -> None:
    messages = [whatsapp_message(number, number, id=f"wamid.{number}") for number in people]
    assert system.post(whatsapp_body(whatsapp_value(messages=messages))) == 200


def log_of(system: System) -> str:
    """Return what all processes have logged."""
    return "".join(path.read_text() for path in system.folder.glob("process-*.log"))


def completions(system: System) -> int:
    return len([request for request in system.model.requests() if request["method"] == "POST"])


def test_three_workers_together_ask_the_model_no_more_often_than_everybodys_budget_pays_for(system: System) -> None:
    cap = 10 * ANSWER_TOKENS
    system.environment["DAILY_BUDGET_USD"] = f"0.{cap:06}"
    system.model.script([{"delay": 1, "text": ANSWER}] * len(PEOPLE))
    system.start_web()
    for _ in range(3):
        system.start_worker("--concurrency", "5")
    wait_for(lambda: log_of(system).count("worker_started") == 3, "three workers wait for messages")
    highest = 0

    def all_answered() -> bool:
        nonlocal highest
        highest = max(highest, sum(everybodys(system)))
        return len(system.sends()) >= len(PEOPLE)

    write(system, PEOPLE)
    wait_for(all_answered, "everybody has an answer", seconds=90)
    wait_for(lambda: not rows(system, "SELECT 1 FROM usage_reservation"), "every turn is settled")

    assert completions(system) == 10
    assert Counter(send["text"]["body"] for send in system.sends()) == {ANSWER: 10, OVER: 20}
    assert highest <= cap
    assert everybodys(system) == (cap, 0)
    assert rows(system, "SELECT SUM(cost_micros) FROM usage_usagerecord") == [(cap,)]
    assert rows(system, "SELECT COUNT(*) FROM usage_dailyspend WHERE reserved_micros <> 0") == [(0,)]


def test_a_worker_that_is_killed_while_the_model_works_leaves_no_reservation_behind(system: System) -> None:
    system.environment["DAILY_BUDGET_USD"] = f"0.{3 * ANSWER_TOKENS:06}"
    system.model.script([{"delay": 30, "text": ANSWER}] * 3 + [{"text": ANSWER}] * 3)
    system.start_web()
    victim = system.start_worker()
    write(system, PEOPLE[:3])
    wait_for(lambda: completions(system) == 3, "all three are with the model")
    assert everybodys(system) == (0, 3 * ANSWER_TOKENS)

    victim.kill()
    victim.wait()
    assert everybodys(system) == (0, 3 * ANSWER_TOKENS)
    system.manage("shell", "--verbosity", "0", "--command", HALF_A_MINUTE_PASSES)
    system.start_worker()

    wait_for(lambda: len(system.sends()) >= 3, "all three are answered", seconds=60)
    assert [send["text"]["body"] for send in system.sends()] == [ANSWER] * 3
    assert everybodys(system) == (3 * ANSWER_TOKENS, 0)
    assert rows(system, "SELECT 1 FROM usage_reservation") == []
