"""A test of a bot asks its model, and says what ends."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from bot.dev.standins import StandIn
from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.operations.refusing import LUNA, REFUSED, refusal, todos
from bot.tests.support.factories import event
from bot.tests.support.fakes import nothing_pending, work_until
from bot.worker.worker import Worker
from usage.days import today
from usage.models import DailySpend, UsageRecord
from users.models import User

pytestmark = pytest.mark.usefixtures("turns_db")


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def api(running: StandIn, settings: Settings) -> StandIn:
    running.reset()
    settings.LLM_PROVIDER, settings.OPENAI_BASE_URL = "openai", f"{running.url}/v1"
    settings.OPENAI_API_KEY, settings.OPENAI_GPT_MODEL = "sk-canary0123456789", LUNA
    settings.DAILY_BUDGET_MICROS = 10**9
    return running


@pytest.fixture
def say(alice: User, bot: ActiveBot, api: StandIn) -> Callable[..., None]:
    """Send a text through a whole turn, with the model that is configured."""

    def say(text: str = "Hello", to: ActiveBot = bot) -> None:
        accept.accept(to, [event(f"m{InboundMessage.objects.count()}", text=text)])
        work_until(nothing_pending, worker=Worker(10))

    return say


@pytest.mark.parametrize(("label", "answer", "what_to_do"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_test_of_a_bot_asks_its_model(
    bot: ActiveBot, api: StandIn, label: str, answer: dict[str, Any], what_to_do: str
) -> None:
    api.script([{**answer, "for": "messages"}])
    with pytest.raises(CommandError, match=what_to_do):
        call_command("test_bot", "shop", stdout=StringIO())
    assert not UsageRecord.objects.exists()
    out = StringIO()
    call_command("test_bot", "shop", stdout=out)
    assert "The model gpt-6-luna answers." in out.getvalue()


def test_the_word_of_a_test_is_recorded_and_ends_what_was_to_be_done(
    say: Callable[..., None], api: StandIn, client: Client, bot: ActiveBot
) -> None:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    api.script([refusal(402)])
    say()
    assert len(todos()) == 1
    response = client.post(reverse("admin:bot_bot_test", args=[bot.id]), follow=True)
    assert "The model gpt-6-luna answers." in response.content.decode()
    record = UsageRecord.objects.get()
    assert (record.bot, record.user, record.turn_key) == ("shop", None, None) and record.budget_micros
    spent = dict(DailySpend.objects.values_list("bot", "spent_micros"))
    assert spent["shop"] == spent[""] == record.budget_micros
    assert todos() == []


def test_a_test_of_a_bot_says_that_its_model_ends_and_an_answer_of_nothing_will_do(
    bot: ActiveBot, api: StandIn
) -> None:
    empty = {"json": {"choices": [{"message": {"content": ""}, "finish_reason": "length"}], "usage": {}}}
    ending = {"json": {"data": [{"id": LUNA, "shutdown_date": (today() + timedelta(days=9)).isoformat()}]}}
    api.script([{**empty, "for": "messages"}, ending])
    out = StringIO()
    call_command("test_bot", "shop", stdout=out)
    assert "answers." in out.getvalue() and f"The model {LUNA} is switched off on" in out.getvalue()


def test_a_test_with_the_demo_model_asks_nobody(bot: ActiveBot, api: StandIn, settings: Any) -> None:
    settings.LLM_PROVIDER = "demo"
    call_command("test_bot", "shop", stdout=StringIO())
    assert api.requests() == []
