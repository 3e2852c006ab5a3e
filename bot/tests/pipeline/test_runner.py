"""Which stages a turn goes through, and what becomes of one that takes too long."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.utils import timezone

from bot.command_call import Call
from bot.errors import GENERIC_SENTENCE, ErrorCode
from bot.models import TakenLease
from bot.pipeline import runner
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.queue.turn_message import TurnMessage
from bot.tests.support.factories import ALICE
from users.models import User

NOBODYS_SERVICES = cast(Services, None)


def turn_of(user: User | None = None) -> Turn:
    bot = SimpleNamespace(
        id=1, slug="shop", system_prompt="Be kind.", model="small", allowed_models=(), reasoning_effort=""
    )
    return Turn(cast(Any, bot), ALICE, TakenLease(1, 1, ALICE, 1, 0), [TurnMessage(1, "m", "text", "Hi")], user=user)


def passed(turn: Turn) -> list[str]:
    return [name for name, _ in turn.steps[1:]]


@pytest.mark.parametrize(
    ("user", "stages"),
    [
        (User(pk=1, is_whitelisted=True), "notice access rate_limit window commands budget completion"),
        (User(pk=1, is_whitelisted=False), "notice access open_commands join_by_code ask_for_access"),
        (None, "notice access open_commands join_by_code ask_for_access"),
    ],
    ids=["let in", "blocked", "unknown"],
)
def test_who_is_not_let_in_goes_through_stages_of_their_own_and_no_model_is_among_them(
    user: User | None, stages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passing(stage: Any) -> Any:
        async def stand_in(turn: Turn, services: Services) -> None: ...

        stand_in.__name__ = stage.__name__
        return stand_in

    for name in ("FOR_PEOPLE", "FOR_STRANGERS"):
        monkeypatch.setattr(runner, name, [passing(stage) for stage in getattr(runner, name)])
    turn = turn_of(user)
    asyncio.run(runner.run(turn, NOBODYS_SERVICES))
    assert passed(turn) == stages.split()


def test_a_strangers_command_that_can_not_be_answered_any_more_is_not_carried_out() -> None:
    turn = turn_of()
    turn.bot.channel = SimpleNamespace(reply_window=timedelta(hours=24))  # type: ignore[assignment,misc]
    turn.messages = [replace(turn.messages[0], sent_at=timezone.now() - timedelta(hours=25))]
    turn.call = Call("export")
    asyncio.run(runner.run(turn, NOBODYS_SERVICES))
    assert (turn.result.reply, turn.result.error_code) == (None, ErrorCode.WINDOW_EXPIRED)
    assert passed(turn)[-1] == "open_commands"


def test_a_turn_whose_time_is_over_ends_with_a_sentence(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(turn: Turn, services: Services) -> None:
        await asyncio.sleep(60)

    settings.TURN_DEADLINE_SECONDS = 0
    monkeypatch.setattr(runner, "FOR_STRANGERS", [hangs])
    turn = turn_of()
    asyncio.run(runner.run(turn, NOBODYS_SERVICES))
    assert (turn.result.reply, turn.result.error_code) == (str(GENERIC_SENTENCE), ErrorCode.INTERNAL_ERROR)


def test_a_model_has_no_more_time_than_its_turn(settings: Any) -> None:
    settings.MODEL_DEADLINE_SECONDS, settings.TURN_DEADLINE_SECONDS = 60, 75
    assert turn_of().request.deadline_seconds == 60
    settings.TURN_DEADLINE_SECONDS = 30
    assert 29 < turn_of().request.deadline_seconds <= 30


def test_what_the_model_is_asked_is_put_together_once(monkeypatch: pytest.MonkeyPatch) -> None:
    turn = turn_of()
    first = turn.request
    monkeypatch.setattr("bot.pipeline.turn.prompt", None)
    assert turn.request is first
