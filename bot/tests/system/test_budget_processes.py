"""Budgets over several worker processes, and a worker that is killed while the model works."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.tests.support.factories import (
    ACCESS_TOKEN,
    APP_SECRET,
    VERIFY_TOKEN,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)
from bot.tests.support.processes import System, running_system, wait_for

pytestmark = [
    pytest.mark.promise("budgets", "three workers share everybody's budget; a killed worker leaves no reservation"),
    pytest.mark.processes,
    pytest.mark.promise("shared budgets", "three workers, sampled while they run"),
]

PEOPLE = [f"+49151400000{number:02}" for number in range(60)]
ALICE, CROWD, OTHERS = PEOPLE[0], PEOPLE[:30], PEOPLE[30:]
# A bot for each chat of one person; everybody else writes to the first of them, which has a budget, or to the last.
BOTS = {f"branch-{number:02}": f"8000000{number:02}" for number in range(50)}
CAPPED, FREE = "branch-00", "branch-49"
OVER_OWN = "You've reached today's limit. Please try again tomorrow."
OVER = "I can't answer any more today. Please try again tomorrow."
# The stand-in bills 1 + 60 / 4 tokens for it: exactly the answer's cap.
ANSWER = "x" * 60
ANSWER_TOKENS = 16
TEN = 10 * ANSWER_TOKENS

# The answer costs a micro-dollar a token, the question nothing: a call costs what is reserved for it.
SEED = f"""
from bot.models import Bot
from usage.days import today
from usage.models import ModelPrice
from users.models import User
ModelPrice.objects.create(model="gpt-6-luna", valid_from=today(), input_micros_per_million=0,
                          output_micros_per_million=1_000_000)
for number in {PEOPLE!r}:
    User.objects.create_user(number, is_whitelisted=True)
for slug, account in {BOTS!r}.items():
    Bot.objects.create(slug=slug, name=slug, channel="whatsapp", account_id=account, credentials={{
        "app_secret": {APP_SECRET!r}, "access_token": {ACCESS_TOKEN!r}, "verify_token": {VERIFY_TOKEN!r}}})
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path) as running:
        running.environment["MAX_REPLY_TOKENS"] = str(ANSWER_TOKENS)
        running.manage("shell", "--verbosity", "0", "--command", SEED)
        yield running


def spend(system: System, bot: str = "", person: str = "") -> tuple[int, int]:
    """Return (spent, reserved) of a bot's day, a person's, or with neither everybody's."""
    rows = system.rows(
        "SELECT COALESCE(u.phone_number, ''), s.bot, s.spent_micros, s.reserved_micros "
        "FROM usage_dailyspend s LEFT JOIN users_user u ON u.id = s.user_id"
    )
    return next(((spent, reserved) for *owner, spent, reserved in rows if owner == [person, bot]), (0, 0))


def write(system: System, *chats: tuple[str, str]) -> None:
    """Deliver a message of each (person, bot) in one webhook."""
    values = [
        whatsapp_value(account=BOTS[bot], messages=[whatsapp_message("Hello", person, id=f"wamid.{person}.{bot}")])
        for person, bot in chats
    ]
    assert system.post(whatsapp_body(*values)) == 200


def completions(system: System) -> int:
    return len([request for request in system.model.requests() if request["method"] == "POST"])


def answers(system: System, after: int = 0) -> Counter[str]:
    return Counter(send["text"]["body"] for send in system.sends()[after:])


@contextmanager
def highest(system: System, bot: str = "", person: str = "") -> Iterator[list[int]]:
    """Yield what a day's spent and reserved came to, looked at again and again until the block ends."""
    seen, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.01):
            seen.append(sum(spend(system, bot, person)))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()
    assert len(seen) > 3, "it was looked at while turns were under way"


def three_workers(system: System) -> None:
    system.start_web()
    workers = [system.start_worker("--concurrency", "20") for _ in range(3)]
    wait_for(lambda: all("worker_started" in system.log_of(worker) for worker in workers), "three workers wait")


def assert_the_day_was(system: System, codes: dict[str, int]) -> None:
    """Compare how turns ended, and that nothing is reserved any more and the sums are those of the records."""
    wait_for(lambda: not system.rows("SELECT 1 FROM bot_lease WHERE worker <> ''"), "every turn is settled")
    assert dict(system.rows("SELECT error_code, COUNT(*) FROM bot_inboundmessage GROUP BY error_code")) == codes
    assert system.rows("SELECT 1 FROM usage_reservation") == []
    assert system.rows("SELECT COUNT(*) FROM usage_dailyspend WHERE reserved_micros <> 0") == [(0,)]
    assert system.rows("SELECT SUM(budget_micros) FROM usage_usagerecord") == [(spend(system)[0],)]


def test_of_fifty_chats_of_one_person_in_three_workers_ten_are_answered_that_the_budget_pays_for(
    system: System,
) -> None:
    system.rows(f"UPDATE users_user SET daily_budget_micros = {TEN} WHERE phone_number = '{ALICE}'")  # noqa: S608
    system.model.script([{"delay": 1, "text": ANSWER}] * len(BOTS))
    three_workers(system)
    with highest(system, person=ALICE) as seen:
        write(system, *[(ALICE, bot) for bot in BOTS])
        wait_for(lambda: len(system.sends()) >= len(BOTS), "every chat has an answer", seconds=90)

    assert completions(system) == 10
    assert answers(system) == {ANSWER: 10, OVER_OWN: 40}
    assert max(seen) <= TEN
    assert spend(system, person=ALICE) == (TEN, 0)
    assert_the_day_was(system, {"": 10, "BUDGET_EXCEEDED": 40})


def test_three_workers_keep_to_a_bots_budget_and_then_to_everybodys(system: System) -> None:
    system.rows(f"UPDATE bot_bot SET daily_budget_micros = {TEN} WHERE slug = '{CAPPED}'")  # noqa: S608
    system.environment["DAILY_BUDGET_USD"] = f"0.{2 * TEN:06}"
    system.model.script([{"delay": 1, "text": ANSWER}] * len(PEOPLE))
    three_workers(system)
    with highest(system, bot=CAPPED) as of_bot, highest(system) as of_all:
        write(system, *[(person, CAPPED) for person in CROWD])
        wait_for(lambda: len(system.sends()) >= len(CROWD), "all who wrote to the bot have an answer", seconds=90)
        assert answers(system) == {ANSWER: 10, OVER: 20}
        write(system, *[(person, FREE) for person in OTHERS])
        wait_for(lambda: len(system.sends()) >= len(PEOPLE), "everybody has an answer", seconds=90)

    assert completions(system) == 20
    assert answers(system, after=len(CROWD)) == {ANSWER: 10, OVER: 20}
    assert max(of_bot) <= TEN
    assert max(of_all) <= 2 * TEN
    assert spend(system, CAPPED) == spend(system, FREE) == (TEN, 0)
    assert spend(system) == (2 * TEN, 0)
    assert_the_day_was(system, {"": 20, "BOT_BUDGET_EXCEEDED": 20, "GLOBAL_BUDGET_EXCEEDED": 20})


def with_the_model(system: System, people: list[str]) -> None:
    """Let people write to the bot, and a worker die while the model works on all their turns."""
    system.environment["DAILY_BUDGET_USD"] = f"0.{3 * ANSWER_TOKENS:06}"
    system.model.script([{"delay": 30, "text": ANSWER}] * len(people) + [{"text": ANSWER}] * len(people))
    system.start_web()
    victim = system.start_worker()
    write(system, *[(person, CAPPED) for person in people])
    wait_for(lambda: completions(system) == len(people), "all are with the model")
    victim.kill()
    victim.wait()


def test_a_worker_that_is_killed_while_the_model_works_leaves_no_reservation_behind(system: System) -> None:
    with_the_model(system, PEOPLE[:3])
    for held in (spend(system), spend(system, CAPPED)):
        assert held == (0, 3 * ANSWER_TOKENS)

    system.half_a_minute_passes()
    system.start_worker()

    wait_for(lambda: len(system.sends()) >= 3, "all three are answered", seconds=60)
    assert [send["text"]["body"] for send in system.sends()] == [ANSWER] * 3
    for settled in (spend(system), spend(system, CAPPED)):
        assert settled == (3 * ANSWER_TOKENS, 0)
    assert_the_day_was(system, {"": 3})


def test_what_a_killed_workers_turn_had_reserved_is_reaped_when_the_turn_never_comes_back(system: System) -> None:
    with_the_model(system, PEOPLE[:2])
    # Staff delete the one's message; the other's is still waiting for a worker.
    system.rows(f"DELETE FROM bot_inboundmessage WHERE address = '{PEOPLE[0]}'")  # noqa: S608
    system.rows("UPDATE usage_reservation SET created_at = '2020-01-01 00:00:00'")
    reaping = "from bot.privacy.retention import release_abandoned_reservations as reap; print(reap())"

    for released in ("1", "0"):
        assert system.manage("shell", "--verbosity", "0", "--command", reaping).strip() == released
        for owner in ({}, {"bot": CAPPED}, {"person": PEOPLE[1]}):
            assert spend(system, **owner) == (0, ANSWER_TOKENS)
        assert spend(system, person=PEOPLE[0]) == (0, 0)
