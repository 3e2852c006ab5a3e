"""The check asks the model's server which models it lists."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from bot.dev.standins import StandIn
from bot.operations.model_check import read_day, read_list
from bot.queue.snapshot import ActiveBot
from bot.tests.operations.refusing import checked, refusal
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from usage.days import today

pytestmark = pytest.mark.usefixtures("turns_db")

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
