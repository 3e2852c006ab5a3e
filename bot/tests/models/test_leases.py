"""Leases are renewed and given back by who holds them, and taken over by nobody meanwhile."""

import pytest
from django.db import transaction
from django.utils import timezone

from bot.models import InboundMessage, Lease
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, BotFactory, event
from bot.tests.worker.held import claimed, expire
from bot.worker import claims, settlement
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("one turn"),
]


@pytest.fixture
def bot() -> ActiveBot:
    return BotFactory.active(slug="shop")


def test_renewing_extends_what_is_held_and_nothing_else(bot: ActiveBot) -> None:
    mine = claimed(bot)
    accept.accept(bot, [event("m2", address=BOB), event("m3", address="+4915100000000")])
    lost, given_up = claim("one", 10)
    Lease.objects.filter(pk=lost.lease.id).update(worker="two", fence=2)
    settlement.settle("one", [Settlement(given_up, Outcome.DONE)])
    before = {lease.pk: lease.expires_at for lease in Lease.objects.all()}

    assert claims.renew("one", [mine.lease, lost.lease, given_up.lease]) == 1

    after = {lease.pk: lease.expires_at for lease in Lease.objects.all()}
    assert {id for id in after if after[id] > before[id]} == {mine.lease.id}


def test_what_a_shutdown_gives_back_can_be_taken_at_once_and_counts_no_attempt(bot: ActiveBot) -> None:
    turn = claimed(bot)

    claims.release("one", [turn])

    lease = Lease.objects.get()
    assert (lease.worker, InboundMessage.objects.get().attempts) == ("", 0)
    (again,) = claim("two", 10)
    assert (again.attempts, again.lease.fence) == (1, turn.lease.fence + 1)


def test_a_shutdown_gives_back_nothing_that_another_worker_has_taken_over(bot: ActiveBot) -> None:
    turn = claimed(bot)
    expire()
    claim("two", 10)

    claims.release("one", [turn])

    assert Lease.objects.get().worker == "two"
    assert InboundMessage.objects.get().attempts == 2


@pytest.mark.django_db(transaction=True)
def test_the_lock_of_a_write_keeps_others_from_taking_the_lease_over(bot: ActiveBot) -> None:
    from threading import Event, Thread

    from django.db import connection

    turn = claimed(bot)
    expire()
    begun = Event()
    order: list[str] = []

    def take_over() -> None:
        begun.set()
        order.extend("two" for _ in claim("two", 10))
        connection.close()

    thread = Thread(target=take_over)
    with transaction.atomic():
        held = Lease.objects.lock_held([turn.lease], "one")
        thread.start()
        begun.wait()
        order.append("one")
        InboundMessage.objects.finish([turn.key])
        Lease.objects.release(held, timezone.now())
    thread.join()

    assert order == ["one"], "what was written under the lock is seen by whoever takes over: nothing is pending"


def dies(worker: str) -> list[Turn]:
    """Return what a worker claims that dies with it."""
    turns = claim(worker, 10)
    expire()
    return turns


def test_chats_whose_last_owners_all_died_are_taken_one_at_a_time_the_least_suspected_first(bot: ActiveBot) -> None:
    accept.accept(bot, [event("poison"), event("mate", address=BOB)])
    for number in range(3):
        assert len(dies(str(number))) == 2, "once, twice, three times may be bad luck"
    accept.accept(bot, [event("new", address="+4915100000001")])

    suspect, new = claim("four", 10)
    assert (suspect.lease.is_suspect, new.lease.is_suspect) == (True, False)
    assert claim("four", 10, suspect=False) == [], "it has one already"
    (other,) = claim("five", 10)
    assert other.lease.is_suspect

    settlement.settle("five", [Settlement(other, Outcome.DONE)])
    expire()
    assert {turn.address for turn in claim("six", 10)} == {suspect.address, new.address}
    assert Lease.objects.get(address=other.address).deaths == 0, "its owner lived"


def test_a_chat_that_was_held_at_one_death_more_comes_before_the_one_that_kills(bot: ActiveBot) -> None:
    accept.accept(bot, [event("poison"), event("mate", address=BOB)])
    for number in range(3):
        dies(str(number))
    Lease.objects.filter(address=ALICE).update(deaths=5)

    (first,) = claim("four", 10)
    assert first.address == BOB
