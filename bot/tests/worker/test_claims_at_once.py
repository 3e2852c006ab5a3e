"""Two workers that claim at the same time wait for each other at most; they never deadlock."""

from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection

from bot.models import InboundMessage
from bot.queue import accept
from bot.tests.support.factories import WhatsAppBotFactory, event, whitelisted
from bot.worker import claims

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not connection.features.has_select_for_update, reason="SQLite has one writer at a time"),
    pytest.mark.database,
    pytest.mark.promise("one turn"),
]


def test_a_message_that_comes_while_its_chat_is_claimed_deadlocks_no_two_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bot = WhatsAppBotFactory.active()
    whitelisted()
    accept.accept(bot, [event("first")])
    # One has looked at the queue; then a second message comes, and two looks at the queue.
    one_has_looked, two_has_looked = Event(), Event()
    look = type(InboundMessage.objects.all()).waiting_chats

    def looking(self: Any, *arguments: Any, **options: Any) -> Any:
        found = look(self, *arguments, **options)
        if not one_has_looked.is_set():
            one_has_looked.set()
            two_has_looked.wait(10)
        two_has_looked.set()
        return found

    monkeypatch.setattr(type(InboundMessage.objects.all()), "waiting_chats", looking)
    results: dict[str, Any] = {}
    one = Thread(target=claimed_by, args=("one", results))
    one.start()
    assert one_has_looked.wait(10)
    accept.accept(bot, [event("second")])
    two = Thread(target=claimed_by, args=("two", results))
    two.start()
    for thread in (one, two):
        thread.join(20)

    assert not [result for result in results.values() if isinstance(result, Exception)]
    assert sorted(len(turns) for turns in results.values()) == [0, 1]


def claimed_by(worker: str, results: dict[str, Any]) -> None:
    try:
        results[worker] = claims.claim(worker, 10)
    except Exception as error:
        results[worker] = error
    finally:
        connection.close()
