"""The operator is told what the model's server refuses, wherever they look, until a call succeeds again."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from bot.admin.dashboard.sections import build
from bot.ai.standing import Refusal, refusal_code, refusal_of
from bot.dev.standins import StandIn
from bot.models import Bot, InboundMessage
from bot.operations.model_check import read_day, read_list
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory, event
from bot.tests.support.fakes import ScriptedChannel, nothing_pending, states, work_until
from bot.worker.worker import Worker
from usage.days import today
from usage.models import DailySpend, UsageRecord
from users.models import User
from users.permissions import ROLE_PERMISSIONS
from users.roles import Role

pytestmark = pytest.mark.usefixtures("turns_db")

OWNER = ROLE_PERMISSIONS[Role.OWNER]
LUNA = "gpt-6-luna"


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


def refusal(status: int, code: str | None = None, kind: str = "invalid_request_error", message: str = "No.") -> Any:
    return {"status": status, "json": {"error": {"message": message, "type": kind, "code": code}}}


def todos() -> list[tuple[str, str]]:
    page = build(OWNER)
    about_system = ("No worker", "No scheduler")
    return [(one.tone, one.text) for one in page.todos or [] if not one.text.startswith(about_system)]


def facts() -> list[tuple[str, str]]:
    return [(fact.tone, fact.value) for fact in build(OWNER).facts if fact.name == "Model"]


def checked() -> dict[str, str]:
    found = run_checks(include_deployment_checks=True, databases=["default"])
    return {str(message.id): message.msg for message in found if str(message.id).startswith("parley.")}


REFUSED = [
    ("a wrong key", refusal(401, "invalid_api_key"), "OPENAI_API_KEY"),
    ("a key without rights", refusal(403, "forbidden"), "OPENAI_API_KEY"),
    ("a key, without words", {"status": 401, "raw": "no"}, "OPENAI_API_KEY"),
    ("no such model", refusal(404, "model_not_found"), LUNA),
    ("no such model, as Ollama says it", refusal(404, None, message="model 'gpt-6-luna' not found"), LUNA),
    ("no such deployment", refusal(404, "DeploymentNotFound"), LUNA),
    ("a model that the key may not use", refusal(403, "model_not_found"), LUNA),
    ("no address", refusal(404, "unknown_url", message="Unknown request URL of the model API"), "OPENAI_BASE_URL"),
    ("a page of a web server", {"status": 404, "raw": "<html>"}, "OPENAI_BASE_URL"),
    ("the quota", refusal(429, "insufficient_quota", "insufficient_quota"), "billing settings"),
    ("payment", refusal(402, None), "billing settings"),
    ("a limit of the bill", refusal(400, "billing_hard_limit_reached"), "billing settings"),
    ("no active bill", refusal(429, None, "billing_not_active"), "billing settings"),
]


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


# --- the check, the button and the command really ask ---


def test_the_check_asks_the_server_although_nobody_has_written(bot: ActiveBot, api: StandIn) -> None:
    api.script([refusal(401, "invalid_api_key")])
    assert "refuses the key" in checked()["parley.E006"]
    assert [request["path"] for request in api.requests()] == ["/v1/models"]
    assert not {"parley.E006", "parley.W015", "parley.W016", "parley.W017"} & set(checked())


def test_the_check_says_that_the_server_is_away(bot: ActiveBot, api: StandIn, settings: Any) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert "parley.W015" in checked()


def test_the_check_names_a_model_that_is_not_listed_and_one_that_ends_soon(
    bot: ActiveBot, api: StandIn, settings: Any
) -> None:
    def listed(**of_luna: Any) -> dict[str, Any]:
        return {"json": {"object": "list", "data": [{"id": LUNA, **of_luna}, {"id": "other", "shutdown_date": "x"}]}}

    def day(ahead: int) -> str:
        return (today() + timedelta(days=ahead)).isoformat()

    for entry, ends in (
        ({}, None), ({"shutdown_date": None}, None), ({"shutdown_date": day(61)}, None),
        ({"shutdown_date": day(60)}, day(60)), ({"shutdown_date": f"{day(3)}T00:00:00Z"}, day(3)),
        ({"shutdown_date": day(-1)}, day(-1)),
    ):  # fmt: skip
        api.script([listed(**entry)])
        said = checked().get("parley.W016")
        assert said == (f"The model '{LUNA}' is switched off on {ends}." if ends else None), entry
    settings.OPENAI_GPT_MODEL = "gpt-6-lune"
    assert "gpt-6-lune" in checked()["parley.W017"]
    answers: list[Any] = [{"status": 404, "raw": "no list here"}, {"json": {"data": []}}, {"json": []}]
    for answer in answers:
        api.script([answer])
        assert "parley.W017" not in checked(), "a server need not list its models"


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


# --- when to leave the model out of readiness ---


def test_the_check_and_make_run_say_when_to_leave_the_model_out_of_readiness(api: StandIn, settings: Any) -> None:
    BotFactory.create(slug="demo")
    assert settings.READINESS_CHECKS == ["db", "redis", "openai"]
    assert "parley.I001" not in checked(), "the console has no webhooks"
    WhatsAppBotFactory.create(slug="shop")
    assert "parley.I001" in checked()
    out = StringIO()
    call_command("bootstrap", stdout=out)
    assert "READINESS_CHECKS=db,redis" in out.getvalue()
    settings.READINESS_CHECKS = ["db", "redis"]
    assert "parley.I001" not in checked()


# --- what servers write ---


def test_codes_of_rows_fit_and_name_the_model() -> None:
    assert len(refusal_code(Refusal.MODEL, "x" * 200)) == 100
    assert refusal_code(Refusal.KEY, "gpt") == "CONFIGURATION_ERROR:key_refused"
    assert refusal_of(503, {"code": "overloaded"}) is None
    assert refusal_of(429, {"code": 7, "type": ["x"]}) is None


@pytest.mark.parametrize(
    ("value", "day"),
    [("2026-12-01", "2026-12-01"), ("2026-12-01T10:00:00Z", "2026-12-01"), (1796083200, "2026-12-01"), (True, None),
     ("soon", None), (0, None), (10**30, None), (None, None), ([], None)],
)  # fmt: skip
def test_days_are_read_in_every_spelling(value: Any, day: str | None) -> None:
    found = read_day(value)
    assert (found.isoformat() if found else None) == day


def test_a_list_that_is_none_is_empty() -> None:
    for raw in (b"", b"[]", b"{}", b'{"data": [1, {"id": 5}]}', b"[" * 100_000):
        assert read_list(200, raw).models == {}
    assert read_list(200, json.dumps({"data": [{"id": "a"}]}).encode()).models == {"a": None}
