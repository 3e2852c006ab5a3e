"""An erasure beside workers and webhooks that are at work on the same person, each on a connection of its own."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from bot.ai.base import Completion
from bot.channels.events import AddressChanged
from bot.models import AccessRequest, InboundMessage, Lease, LeaseLost, OutboundMessage
from bot.pipeline.result import ModelCall
from bot.privacy.erasure import steps
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of, subject_of_number
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, event
from bot.worker import replies
from bot.worker.claims import claim
from conversations.memory import Said
from conversations.models import Conversation
from users.models import Identity, User

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(
        "connection.vendor == 'sqlite'", reason="SQLite has one writer at a time: nothing happens at once"
    ),
]
WAIT = 20.0


class Alongside:
    """Runs functions in threads with connections of their own; join() returns what came of each, in their order."""

    def __init__(self) -> None:
        self.results: dict[int, Any] = {}
        self._threads: list[threading.Thread] = []

    def begin(self, function: Callable[..., Any], *arguments: Any) -> threading.Thread:
        position = len(self._threads)

        def run() -> None:
            try:
                self.results[position] = function(*arguments)
            except Exception as error:
                self.results[position] = error
            finally:
                connection.close()

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def join(self) -> list[Any]:
        for thread in self._threads:
            thread.join(WAIT)
            assert not thread.is_alive()
        return [self.results[position] for position in range(len(self._threads))]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Hold an erasure where it has taken the leases: (it is there, let it go on)."""
    there, go_on = threading.Event(), threading.Event()

    def hold(erasure: steps.Erasure) -> int:
        there.set()
        assert go_on.wait(WAIT)
        return 0

    monkeypatch.setattr("bot.privacy.erasure.erase.STEPS", (hold, *steps.STEPS))
    return there, go_on


def forget(person: User) -> Any:
    return erase(subject_of(person), via="command")


def rows() -> list[int]:
    return [model._default_manager.count() for model in (InboundMessage, OutboundMessage, Lease, AccessRequest, User)]


@pytest.mark.parametrize("has_chat", [True, False])
def test_a_worker_that_claims_meanwhile_waits_and_finds_nothing(
    has_chat: bool, alice: User, bot: ActiveBot, held: tuple[threading.Event, threading.Event]
) -> None:
    there, go_on = held
    accept.accept(bot, [event("m1", sent_at=timezone.now() - timedelta(seconds=1))])
    if has_chat:
        Lease.objects.create(bot_id=bot.id, address=ALICE, expires_at=timezone.now())
    both = Alongside()
    both.begin(forget, alice)
    assert there.wait(WAIT)
    claiming = both.begin(claim, "one", 10)
    claiming.join(0.5)
    assert claiming.is_alive()  # (it waits for the lease)
    go_on.set()
    erased, turns = both.join()
    assert turns == [] and erased.counts["inbox"] == 1
    Lease.objects.all().delete()  # (what the worker found useless)
    assert rows() == [0, 0, 0, 0, 0]


def test_a_worker_that_stores_its_reply_meanwhile_has_lost_its_lease(
    alice: User, bot: ActiveBot, held: tuple[threading.Event, threading.Event]
) -> None:
    there, go_on = held
    accept.accept(bot, [event("m1")])
    (turn,) = claim("one", 10)
    turn.result.calls.append(ModelCall("gpt-6-luna", Completion("Hi", "gpt-6-luna", 10, 2)))
    turn.result.remember, turn.result.reply = [Said("user", "Hello"), Said("assistant", "Hi")], "Hi"
    both = Alongside()
    both.begin(forget, alice)
    assert there.wait(WAIT)
    both.begin(replies.store_replies, "one", [turn])
    go_on.set()
    results = both.join()
    assert [type(one) for result in results if isinstance(result, list) for one in result] == [LeaseLost]
    assert rows() == [0, 0, 0, 0, 0]
    assert not Conversation.objects.exists()


def test_a_message_that_comes_in_meanwhile_is_not_answered(
    alice: User, bot: ActiveBot, held: tuple[threading.Event, threading.Event]
) -> None:
    there, go_on = held
    both = Alongside()
    both.begin(forget, alice)
    assert there.wait(WAIT)
    written = timezone.now() - timedelta(seconds=1)
    assert accept.accept(bot, [event("m1", sent_at=written)]).messages == 1  # (webhooks wait for nobody)
    go_on.set()
    both.join()
    assert claim("one", 10) == []
    assert rows() == [0, 0, 0, 0, 0]


def test_two_erasures_of_one_person_at_once_are_one(alice: User, bot: ActiveBot) -> None:
    User.objects.link_identity(alice, "console", "DE.13491208655302741918")
    accept.accept(bot, [event("m1"), event("m2", address="DE.13491208655302741918")])
    both = Alongside()
    for _ in range(4):
        both.begin(lambda: erase(subject_of_number(ALICE), via="command"))
    results = both.join()
    assert not [result for result in results if isinstance(result, Exception)]
    assert rows() == [0, 0, 0, 0, 0]


def test_a_change_of_number_at_the_same_time_ends_one_way_or_the_other(alice: User, bot: ActiveBot) -> None:
    new = "+4915199999999"
    for attempt in range(5):
        person = User.objects.find_by_phone_number(ALICE) or User.objects.create_user(ALICE, is_whitelisted=True)
        accept.accept(bot, [event(f"m{attempt}", sent_at=timezone.now() - timedelta(days=1))])
        both = Alongside()
        both.begin(forget, person)
        both.begin(accept.accept, bot, [AddressChanged(f"change-{attempt}", ((ALICE, new),))])
        errors = [result for result in both.join() if isinstance(result, Exception)]
        assert not errors
        left = set(User.objects.values_list("phone_number", flat=True)) | set(
            Identity.objects.values_list("address", flat=True)
        )
        assert left == set()
        assert not InboundMessage.objects.exists()
