"""An address may try a code or ask what is held only so often."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.models import AccessRequest, InboundMessage
from bot.pipeline.attempt_limit import OUTSIDER_CODES, OUTSIDER_MINUTES, TRIES, may_ask
from bot.pipeline.limiter import Limiter
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.pipeline.commands.exporting import say
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from users.models import AuditEntry, User

pytestmark = pytest.mark.django_db(transaction=True)

REFUSAL = "Hello! I only answer people who were invited. Please ask the owner for access."
FOLLOWS = "Here is everything that is held about you, as two files: one to read, and one for programs."
TOO_OFTEN = "You have asked for this several times just now. Please try again in an hour."


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any) -> None:
    settings.REDIS_URL = None


def calls(channel: ScriptedChannel) -> int:
    """Return how many requests the provider was sent."""
    return len(channel.sent) + len(channel.uploaded) + len(channel.typing)


def test_a_stranger_who_goes_on_is_not_answered_and_leaves_no_rows(bot: ActiveBot, channel: ScriptedChannel) -> None:
    say(bot, *["/export"] * (TRIES + 3))
    assert channel.texts.count(FOLLOWS) == 1
    assert calls(channel) == 5, "a text, two uploads, two documents"
    assert InboundMessage.objects.count() == 1
    assert AuditEntry.objects.count() == 1
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("is_blocked", [True, False], ids=["blocked", "unknown"])
def test_a_day_of_a_stranger_who_writes_everything_all_the_time_is_ten_calls(
    bot: ActiveBot, channel: ScriptedChannel, is_blocked: bool
) -> None:
    if is_blocked:
        User.objects.create_user(STRANGER)
    other = BotFactory.active(slug="other", tells_strangers=False)
    for number, text in enumerate(["Hello", "/privacy", "/export", "/export please", "/forget", "/forget 0"] * 4):
        for to in (bot, other):  # (counted over all bots of a channel)
            accept.accept(to, [event(f"flood-{to.slug}-{number}", text=text, address=STRANGER)])
    work_until(model=ScriptedModel())

    assert calls(channel) == 1 + 1 + 5 + 1 + OUTSIDER_CODES == 10
    assert channel.texts.count(REFUSAL) == 1
    assert channel.texts.count(FOLLOWS) == 1


def test_who_has_themselves_erased_begins_no_new_day(
    bot: ActiveBot, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = Limiter(None)
    monkeypatch.setattr("bot.worker.worker.Limiter", lambda _url: limiter)  # (of all the workers here)
    monkeypatch.setattr("bot.pipeline.commands.forget._codes", lambda _turn: ["1234"])
    monkeypatch.setattr(ScriptedChannel, "reads_outbox", False)
    for _ in range(4):
        for text in ("Hello", "/privacy", "/export", "/forget", "/forget 1234"):
            say(bot, text)

    assert channel.texts.count(REFUSAL) == 3
    assert calls(channel) == 10 + 2, "two polite replies more: who was erased is new"


def ask_as_stranger(bot: ActiveBot, limiter: Limiter, times: int) -> list[bool]:
    """Let a stranger give the same command several times at once, and return whether each is to be answered."""
    turn = cast(Turn, SimpleNamespace(user=None, is_of_member=False, bot=bot, address=STRANGER, attempts=1))
    services = cast(Services, SimpleNamespace(limiter=limiter))

    async def ask() -> list[bool]:
        return await asyncio.gather(*(may_ask(turn, services, "x", with_code=False) for _ in range(times)))

    return asyncio.run(ask())


def test_a_stranger_who_asks_many_times_at_once_is_answered_once_and_again_a_day_later(
    bot: ActiveBot, time_machine: Any
) -> None:
    limiter = Limiter(None)
    time_machine.move_to(1_900_000_000, tick=False)
    assert ask_as_stranger(bot, limiter, 50).count(True) == 1
    time_machine.shift(OUTSIDER_MINUTES * 60 - 1)
    assert ask_as_stranger(bot, limiter, 50).count(True) == 0
    time_machine.shift(2)
    assert ask_as_stranger(bot, limiter, 50).count(True) == 1


def test_who_is_let_in_is_told_that_it_is_too_often_and_may_ask_something_else(
    bot: ActiveBot, channel: ScriptedChannel, alice: User
) -> None:
    say(bot, *["/export"] * (TRIES + 1), "/privacy", address=ALICE)
    said = [message.text for message in channel.sent if not message.filename]
    assert said[:-1] == [FOLLOWS] * TRIES + [TOO_OFTEN]
    assert said[-1].startswith("What I keep")


def test_tries_are_counted_for_each_address(bot: ActiveBot, channel: ScriptedChannel) -> None:
    number = InboundMessage.objects.count()
    chats = [STRANGER] * (TRIES + 1) + [BOB]
    accept.accept(bot, [event(f"t{number}{n}", text="/privacy", address=one) for n, one in enumerate(chats)])
    work_until(model=ScriptedModel())
    assert len([one for one in channel.sent if one.address == STRANGER]) == 1
    assert len([one for one in channel.sent if one.address == BOB]) == 1
