"""The operator is told what the model's server refuses, wherever they look, until a call succeeds again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from bot.admin.dashboard.sections import build
from bot.dev.standins import StandIn
from bot.models import Bot, InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.operations.refusing import LUNA, OWNER, REFUSED, checked, refusal, todos
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory, event
from bot.tests.support.fakes import ScriptedChannel, nothing_pending, states, work_until
from bot.worker.worker import Worker
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


def facts() -> list[tuple[str, str]]:
    return [(fact.tone, fact.value) for fact in build(OWNER).facts if fact.name == "Model"]


@pytest.mark.parametrize(("label", "answer", "what_to_do"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_refused_is_a_red_thing_to_do_until_a_call_succeeds(
    say: Callable[..., None], api: StandIn, label: str, answer: dict[str, Any], what_to_do: str
) -> None:
    api.script([answer])
    say()
    assert len(api.requests()) == 1, "nothing that cannot get better is tried twice"
    ((tone, text),) = todos()
    assert tone == "bad" and what_to_do in text
    ((tone, value),) = facts()
    assert tone == "bad" and text.startswith(value)
    assert what_to_do in checked()["parley.E006"]
    say("Again")
    assert todos() == []
    assert facts()[0][0] == "good"
    assert "parley.E006" not in checked()


def test_the_thing_to_do_leads_to_the_turns_and_each_says_in_words_why(
    say: Callable[..., None], api: StandIn, client: Client
) -> None:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    api.script([refusal(404, "model_not_found")])
    say()
    message = InboundMessage.objects.get()
    assert message.error_code == "CONFIGURATION_ERROR:model_unknown:gpt-6-luna"
    (href,) = [todo.href for todo in build(OWNER).todos or [] if LUNA in todo.text]
    response = client.get(href)
    assert [row.pk for row in response.context["cl"].result_list] == [message.pk]
    assert "does not know the model gpt-6-luna" in response.content.decode()


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        # (A short message alone is too long: it is the bot's own prompt that leaves no room.)
        (refusal(400, "context_length_exceeded"), "CONFIGURATION_ERROR"),
        (refusal(400, "invalid_value"), "REQUEST_REFUSED"),
        (refusal(429, "rate_limit_exceeded"), "OPENAI_API_ERROR"),
        ({"status": 500, "raw": "x"}, "OPENAI_API_ERROR"),
    ],
)
def test_what_passes_or_is_about_one_call_is_nothing_to_do(
    say: Callable[..., None], api: StandIn, behaviour: dict[str, Any], code: str
) -> None:
    api.script([{**behaviour, "headers": {"Retry-After": "0.01"}}] * 3)
    say()
    assert states() == [("done", code)]
    assert todos() == []


def test_an_answer_of_one_model_does_not_end_what_is_to_be_done_about_another(
    say: Callable[..., None], api: StandIn, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    typo = BotFactory.active(slug="typo", model="gpt-6-lune")
    api.script([refusal(404, "model_not_found")])
    say(to=typo)
    say(to=bot)
    assert [text for _, text in todos() if "gpt-6-lune" in text]
    Bot.objects.filter(slug="typo").update(model=LUNA)
    assert todos() == [], "nobody asks it any more"


def test_without_a_paid_model_nothing_is_asked_or_told(say: Callable[..., None], api: StandIn, settings: Any) -> None:
    api.script([refusal(401)])
    say()
    settings.LLM_PROVIDER = "demo"
    assert todos() == [] and facts() == [] and "parley.E006" not in checked()


def test_a_bot_without_credentials_is_a_thing_to_do(alice: User, bot: ActiveBot) -> None:
    lacking = WhatsAppBotFactory.create(slug="lost", name="Lost", credentials={"app_secret": "x"}, account_id="")
    ((tone, text),) = todos()
    assert tone == "bad" and text.startswith("Lost is not connected")
    assert "Access token" in text and "Phone number ID" in text
    Bot.objects.filter(pk=lacking.pk).update(is_active=False)
    assert todos() == []
