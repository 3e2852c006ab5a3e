"""/model: a person's own model with a bot."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from bot.models import Bot, ModelChoice
from bot.queue.snapshot import ActiveBot
from bot.tests.pipeline.commands.choosing import asked
from bot.tests.support.factories import BotFactory
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel
from usage.models import ModelPrice, UsageRecord
from users.models import User

OWN, LARGE, LOCAL = "gpt-6-luna", "GPT-6-Sol", "llama-5-8b"
LIST = f"""Models of this bot:
1. {OWN} (default, answers you now)
2. {LARGE}
3. {LOCAL}
Choose with /model and a number or name."""
Ask = Callable[..., str]


@pytest.fixture
def choosy(channel: ScriptedChannel, turns_db: None) -> ActiveBot:
    return BotFactory.active(slug="choosy", model=OWN, allowed_models=f"{LARGE}\n{LOCAL}\n{OWN}\n")


def test_model_alone_lists_the_bots_own_and_those_it_allows_and_marks_the_current(
    ask: Ask, alice: User, choosy: ActiveBot
) -> None:
    assert ask("/model", to=choosy) == LIST
    ask("/model 3", to=choosy)
    assert ask("/model", to=choosy).splitlines()[1:4] == [
        f"1. {OWN} (default)",
        f"2. {LARGE}",
        f"3. {LOCAL} (answers you now)",
    ]


@pytest.mark.parametrize("wanted", ["2", LARGE, LARGE.lower(), LARGE.upper()])
def test_a_model_is_chosen_by_number_or_name_and_answers_from_the_next_message_on(
    ask: Ask, alice: User, choosy: ActiveBot, model: ScriptedModel, wanted: str
) -> None:
    ask("Hi", to=choosy)
    assert ask(f"/model {wanted}", to=choosy) == f"From now on {LARGE} answers you. /model default goes back."
    ask("Hi again", to=choosy)

    assert asked(model) == [OWN, LARGE]
    assert list(UsageRecord.objects.order_by("pk").values_list("model", flat=True)) == [OWN, LARGE]
    assert ask(f"/model {wanted}", to=choosy) == f"{LARGE} answers you already."


@pytest.mark.parametrize("wanted", ["default", "DEFAULT", "1", OWN])
def test_the_default_is_chosen_back_and_nothing_stays_stored(
    ask: Ask, alice: User, choosy: ActiveBot, model: ScriptedModel, wanted: str
) -> None:
    ask("/model 2", to=choosy)
    assert ask(f"/model {wanted}", to=choosy) == f"From now on {OWN} answers you: this bot's default."
    ask("Hi", to=choosy)

    assert asked(model) == [OWN]
    assert not ModelChoice.objects.exists()
    assert ask("/model default", to=choosy) == f"{OWN} answers you already."


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        ("gpt-6-sun", f"There is no model “gpt-6-sun” here. Did you mean /model {OWN}?"),
        ("LAMA-5-8B", f"There is no model “LAMA-5-8B” here. Did you mean /model {LOCAL}?"),
        ("4", "There is no model “4” here. /model lists those there are."),
        ("0", "There is no model “0” here. /model lists those there are."),
        ("what\nis this", "There is no model “what is this” here. /model lists those there are."),
        ("x" * 2000, f"There is no model “{'x' * 40}…” here. /model lists those there are."),
    ],
)
def test_a_model_that_there_is_not_changes_nothing_and_the_nearest_is_suggested(
    ask: Ask, alice: User, choosy: ActiveBot, wanted: str, answer: str
) -> None:
    ask("/model 2", to=choosy)
    assert ask(f"/model {wanted}", to=choosy) == answer
    assert ModelChoice.objects.get().model == LARGE


def test_a_bot_that_allows_no_other_model_says_so(ask: Ask, alice: User, settings: Any) -> None:
    settings.OPENAI_GPT_MODEL = "the-only-one"
    assert ask("/model") == ask("/model 1") == "This bot has one model: the-only-one. There is no choice."
    assert not ModelChoice.objects.exists()


def test_the_budget_is_reserved_at_the_price_of_the_chosen_model(
    ask: Ask, alice: User, choosy: ActiveBot, model: ScriptedModel, settings: Any
) -> None:
    settings.LLM_PROVIDER = "openai"  # (the demo model costs nothing)
    settings.USER_DAILY_BUDGET_MICROS = 5_000
    for name, price in ((OWN, 0), (LARGE, 1_000_000_000)):
        ModelPrice.objects.create(
            model=name, valid_from="2026-01-01", input_micros_per_million=price, output_micros_per_million=price
        )
    ask("/model 2", to=choosy)
    assert "today's limit" in ask("Hi", to=choosy)
    assert model.history == []

    ask("/model default", to=choosy)
    assert ask("Hi", to=choosy) == "Echo: Hi"


def test_a_model_whose_name_could_not_be_stored_as_a_choice_is_refused_in_the_admin() -> None:
    bot = Bot(slug="shop", name="Shop", channel="console", allowed_models=f"{LARGE}\n{'x' * 101}")
    with pytest.raises(ValidationError, match="at most 100 characters"):
        bot.clean()
    bot.allowed_models = f"{LARGE}\n{'x' * 100}"
    bot.clean()
