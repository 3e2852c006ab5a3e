"""A choice that is not allowed any more counts no more."""

from collections.abc import Callable

import pytest

from bot.models import Bot, ModelChoice
from bot.queue.snapshot import ActiveBot, forget
from bot.tests.pipeline.commands.choosing import asked
from bot.tests.support.factories import BOB, BotFactory, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel
from users.models import User

OWN, LARGE, LOCAL = "gpt-6-luna", "GPT-6-Sol", "llama-5-8b"
Ask = Callable[..., str]


@pytest.fixture
def choosy(channel: ScriptedChannel, turns_db: None) -> ActiveBot:
    return BotFactory.active(slug="choosy", model=OWN, allowed_models=f"{LARGE}\n{LOCAL}\n{OWN}\n")


def test_a_choice_is_of_one_person_with_one_bot(
    ask: Ask, alice: User, bot: ActiveBot, choosy: ActiveBot, model: ScriptedModel
) -> None:
    whitelisted(BOB)
    other = BotFactory.active(slug="other", model="other-own", allowed_models=LARGE)
    ask("/model 2", to=choosy)

    ask("Hi", to=choosy)
    ask("Hi", to=other)
    ask("Hi", to=bot)
    ask("Hi", BOB, to=choosy)

    assert asked(model) == [LARGE, "other-own", OWN, OWN]


def test_a_choice_that_is_no_longer_allowed_is_ignored_and_forgotten_with_the_default(
    ask: Ask, alice: User, choosy: ActiveBot, model: ScriptedModel
) -> None:
    ask("/model 2", to=choosy)
    Bot.objects.filter(pk=choosy.id).update(allowed_models=LOCAL)
    forget()

    ask("Hi", to=choosy)
    assert asked(model) == [OWN]
    assert ask("/model", to=choosy).splitlines()[1] == f"1. {OWN} (default, answers you now)"
    assert ask("/model default", to=choosy) == f"{OWN} answers you already."
    assert not ModelChoice.objects.exists(), "it does not come back when the bot allows it again"
