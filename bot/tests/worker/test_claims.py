"""Only the holder of a lease may write: fencing, taking over, renewing and giving back."""

from typing import Any

import pytest
from django.utils import timezone

from bot.models import Lease
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BotFactory, event, whitelisted
from bot.tests.worker.held import claimed, expire
from bot.worker import claims
from bot.worker.claims import claim

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("one turn"),
]


@pytest.fixture
def bot() -> ActiveBot:
    return BotFactory.active(slug="shop")


def test_a_chat_is_claimed_by_one_worker_until_its_lease_expires(bot: ActiveBot) -> None:
    accept.accept(bot, [event()])

    (first,) = claim("one", 10)
    assert claim("two", 10) == []
    expire()
    (second,) = claim("two", 10)

    assert second.lease.fence == first.lease.fence + 1
    assert second.attempts == 2
    assert Lease.objects.get().worker == "two"


def test_a_lease_that_is_held_is_not_taken_by_who_looked_before_it_was(bot: ActiveBot) -> None:
    """Two workers may see the same chat waiting; the statement that takes the lease decides."""
    turn = claimed(bot)
    now = timezone.now()

    assert Lease.objects.take([(bot.id, ALICE)], "two", now, now + claims.LEASE_TIME) == []
    assert Lease.objects.get().worker == "one"
    expire()
    (taken,) = Lease.objects.take([(bot.id, ALICE)], "two", now, now + claims.LEASE_TIME)
    assert taken.fence == turn.lease.fence + 1


def test_claiming_many_chats_costs_as_many_queries_as_claiming_one(
    bot: ActiveBot, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        whitelisted(f"+49151000000{number:02}")
        accept.accept(bot, [event(f"m{number}", address=f"+49151000000{number:02}")])
    with django_assert_max_num_queries(12):
        assert len(claim("one", 20)) == 20


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_claim_at_the_same_time_one_gets_each_chat(bot: ActiveBot) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    for number in range(30):
        accept.accept(bot, [event(f"m{number}", address=f"+49151000000{number:02}")])

    def take(worker: str) -> list[str]:
        taken: list[str] = []
        try:
            for _ in range(6):
                taken += [turn.address for turn in claim(worker, 10)]
        finally:
            connection.close()
        return taken

    with ThreadPoolExecutor(4) as pool:
        found = [address for taken in pool.map(take, ["one", "two", "three", "four"]) for address in taken]

    assert len(found) == len(set(found)) == 30
