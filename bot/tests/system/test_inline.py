"""Turns in the test's own transaction behave as they do in threads (bot/tests/support/inline.py)."""

from functools import partial
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, transaction

from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedModel, in_thread, work_until
from bot.tests.support.inline import is_inline
from users.models import User

pytestmark = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="On PostgreSQL turns run as in production")


def test_the_database_is_asked_beside_the_loop_and_refused_inside_of_it(
    bot: ActiveBot, alice: User, model: ScriptedModel
) -> None:
    seen: list[Any] = []

    async def look(_: Any) -> str:
        seen.append(await in_thread(InboundMessage.objects.count))
        try:
            InboundMessage.objects.count()
        except SynchronousOnlyOperation:
            seen.append("refused")
        return "Yes"

    assert is_inline()
    model.enqueue(look)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    assert seen == [1, "refused"]


@pytest.mark.usefixtures("turns_db")
def test_what_waits_for_a_commit_comes_with_the_outermost_one_and_not_after_a_rollback() -> None:
    done: list[str] = []
    with transaction.atomic():
        with transaction.atomic():
            transaction.on_commit(partial(done.append, "inner"))
        assert done == []
    with transaction.atomic():
        transaction.on_commit(partial(done.append, "undone"))
        transaction.set_rollback(True)
    transaction.on_commit(partial(done.append, "at once"))
    assert done == ["inner", "at once"]
    connection.close()
    assert is_inline()
