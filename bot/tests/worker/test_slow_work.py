"""What takes one turn long holds up no other chat."""

import threading

import pytest

from bot.pipeline import runner
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, nothing_pending, states, work_until
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_another_chat_is_answered_while_one_waits_for_what_takes_long(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whitelisted(BOB)
    release = threading.Event()

    async def slow_for_alice(turn: Turn, services: Services) -> None:
        if turn.address == ALICE:
            await services.side_thread.run(release.wait, 10)
            turn.end("at last")

    monkeypatch.setattr(runner, "FOR_PEOPLE", (slow_for_alice, *runner.FOR_PEOPLE))
    accept.accept(bot, [event("slow"), event("quick", address=BOB)])

    def bob_first() -> bool:
        if channel.texts:
            release.set()
        return nothing_pending()

    work_until(bob_first, model=model)

    assert channel.texts == ["Echo: Hello", "at last"]
    assert states() == [("done", "")] * 2
