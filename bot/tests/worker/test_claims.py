"""Only the holder of a lease may write: fencing, taking over, renewing and giving back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from bot.ai.base import Completion
from bot.channels.documents import Document
from bot.models import InboundMessage, Lease, LeaseLost, OutboundMessage, StatusUpdate
from bot.pipeline.result import ModelCall
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, BotFactory, WhatsAppBotFactory, event, whitelisted
from bot.worker import claims, replies, settlement
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement
from conversations.memory import Said
from conversations.models import Message
from usage.models import UsageRecord

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("one turn"),
    pytest.mark.promise("statuses"),
]


@pytest.fixture
def bot() -> ActiveBot:
    return BotFactory.active(slug="shop")


def claimed(bot: ActiveBot, worker: str = "one", **fields: Any) -> Turn:
    """Return Alice's turn, answered by the model, claimed by worker."""
    whitelisted(ALICE)
    accept.accept(bot, [event(**fields)])
    (turn,) = claim(worker, 10)
    turn.result.calls.append(ModelCall("gpt-6-luna", Completion("Hi", "gpt-6-luna", 10, 2)))
    turn.result.remember = [Said("user", "Hello"), Said("assistant", "Hi")]
    turn.end("Hi")
    return turn


def expire() -> None:
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


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


def test_no_more_chats_are_claimed_than_asked_for_and_the_longest_waiting_first(bot: ActiveBot) -> None:
    for number in range(5):
        accept.accept(bot, [event(f"m{number}", address=f"+491510000000{number}")])

    assert [turn.address[-1] for turn in claim("one", 2)] == ["0", "1"]
    assert [turn.address[-1] for turn in claim("two", 10)] == ["2", "3", "4"]


def test_claiming_many_chats_costs_as_many_queries_as_claiming_one(
    bot: ActiveBot, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        whitelisted(f"+49151000000{number:02}")
        accept.accept(bot, [event(f"m{number}", address=f"+49151000000{number:02}")])
    with django_assert_max_num_queries(12):
        assert len(claim("one", 20)) == 20


def test_a_worker_that_lost_its_lease_cannot_store_a_reply_but_its_usage_counts(bot: ActiveBot) -> None:
    turn = claimed(bot)
    expire()
    claim("two", 10)

    (result,) = replies.store_replies("one", [turn])

    assert isinstance(result, LeaseLost)
    assert not OutboundMessage.objects.exists()
    assert not Message.objects.exists()
    assert InboundMessage.objects.get().turn_key is None
    assert UsageRecord.objects.get().output_tokens == 2, "the provider bills it all the same"


def test_a_worker_that_lost_its_lease_cannot_begin_to_send_nor_settle(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)
    expire()
    claim("two", 10)

    (begun,) = replies.begin_sending("one", [(turn, parts[0])])
    (settled,) = settlement.settle("one", [Settlement(turn, Outcome.DONE, part_id=parts[0].id, status="sent")])

    assert isinstance(begun, LeaseLost)
    assert isinstance(settled, LeaseLost)
    assert OutboundMessage.objects.get().attempts == 1, "as it was stored"
    assert InboundMessage.objects.get().state == "pending"
    assert Lease.objects.get().worker == "two"


def test_a_lost_turn_does_not_spoil_the_others_of_its_batch(bot: ActiveBot) -> None:
    mine = claimed(bot)
    whitelisted(BOB)
    accept.accept(bot, [event("m2", address=BOB)])
    (lost,) = claim("one", 10)
    lost.end("Hi Bob")
    Lease.objects.filter(pk=lost.lease.id).update(fence=99)

    stored, refused = replies.store_replies("one", [mine, lost])

    assert isinstance(stored, list)
    assert isinstance(refused, LeaseLost)
    assert OutboundMessage.objects.get().address == ALICE


def test_storing_the_same_reply_twice_returns_what_is_stored(bot: ActiveBot) -> None:
    turn = claimed(bot)

    (first,) = replies.store_replies("one", [turn])
    (second,) = replies.store_replies("one", [turn])

    assert first == second
    assert UsageRecord.objects.count() == OutboundMessage.objects.count() == 1
    assert Message.objects.count() == 2


def test_a_reply_is_stored_and_its_first_send_begun_in_one_commit() -> None:
    turn = claimed(WhatsAppBotFactory.active())
    turn.result.reply = "long " * 1_500

    (parts,) = replies.store_replies("one", [turn])

    assert isinstance(parts, list)
    assert [part.begun for part in parts] == [True, False]
    rows = OutboundMessage.objects.order_by("part")
    assert [(row.status, row.attempts, bool(row.sending_at)) for row in rows] == [
        ("sending", 1, True),
        ("queued", 0, False),
    ]


@pytest.mark.parametrize("what", ["a document", "too late"])
def test_what_cannot_be_sent_at_once_is_stored_and_not_begun(what: str) -> None:
    turn = claimed(WhatsAppBotFactory.active())
    if what == "a document":
        turn.result.reply = None
        assert turn.attach(Document("export.txt", "all of it"))
    else:
        turn.messages[0] = replace(turn.messages[0], sent_at=timezone.now() - timedelta(days=2))

    (parts,) = replies.store_replies("one", [turn])

    assert isinstance(parts, list)
    assert [(part.status, part.begun) for part in parts] == [("queued", False)]
    assert OutboundMessage.objects.get().attempts == 0


@pytest.mark.parametrize("put_off", ["given back", "tried later"])
def test_what_was_stored_as_being_sent_and_not_requested_is_sent_by_the_next_owner(
    bot: ActiveBot, put_off: str
) -> None:
    """The turn was cut off, or the commit's answer lost, between the store and the request."""
    turn = claimed(bot)
    replies.store_replies("one", [turn])

    put_back(turn, put_off)

    (again,) = claim("two", 10)
    assert [(part.status, part.begun) for part in again.parts] == [("queued", False)]
    assert OutboundMessage.objects.get().attempts == 0


@pytest.mark.parametrize("put_off", ["given back", "tried later"])
def test_what_was_requested_or_begun_by_an_owner_before_is_never_queued_again(bot: ActiveBot, put_off: str) -> None:
    turn = claimed(bot)
    replies.store_replies("one", [turn])
    turn.requested = True
    put_back(turn, put_off)
    (heir,) = claim("two", 10)
    assert [part.status for part in heir.parts] == ["sending"]

    put_back(heir, put_off, "two")

    (again,) = claim("three", 10)
    assert [(part.status, part.begun) for part in again.parts] == [("sending", False)]


def test_a_reply_that_is_stored_again_after_its_send_was_requested_does_not_go_out_again(bot: ActiveBot) -> None:
    """As when what became of the send could not be written, and the turn is given up."""
    turn = claimed(bot)
    replies.store_replies("one", [turn])
    turn.requested = True

    (parts,) = replies.store_replies("one", [turn])

    assert isinstance(parts, list)
    assert [(part.status, part.begun) for part in parts] == [("sending", False)]


def put_back(turn: Turn, how: str, worker: str = "one") -> None:
    if how == "given back":
        claims.release(worker, [turn])
    else:
        settlement.settle(worker, [Settlement(turn, Outcome.RETRY, error_code="Error")])


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


def test_a_chat_that_is_to_be_tried_later_is_left_alone_until_then(bot: ActiveBot) -> None:
    turn = claimed(bot)
    settlement.settle("one", [Settlement(turn, Outcome.RETRY, retry_in=timedelta(minutes=1))])

    assert claim("two", 10) == []
    expire()
    assert len(claim("two", 10)) == 1


def test_a_status_that_says_delivered_is_not_undone_by_our_own_record(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)
    replies.begin_sending("one", [(turn, parts[0])])
    OutboundMessage.objects.apply_statuses([StatusUpdate(bot.id, "delivered", parts[0].id, "wamid.9")])

    settlement.settle(
        "one", [Settlement(turn, Outcome.DONE, part_id=parts[0].id, status="sent", external_id="wamid.9")]
    )

    outbound = OutboundMessage.objects.get()
    assert (outbound.status, outbound.external_id) == ("delivered", "wamid.9")


def test_a_part_that_went_out_already_is_not_begun(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)
    for status in ("sent", "delivered", "failed", "uncertain", "expired"):
        OutboundMessage.objects.update(status=status)
        assert replies.begin_sending("one", [(turn, parts[0])]) == [False]


def test_beginning_a_send_again_whose_commit_was_not_answered_still_lets_it_go_out(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)

    assert replies.begin_sending("one", [(turn, parts[0])]) == [True]
    assert replies.begin_sending("one", [(turn, parts[0])]) == [True], "it was begun, and nothing was sent yet"
    assert OutboundMessage.objects.get().status == "sending"


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
