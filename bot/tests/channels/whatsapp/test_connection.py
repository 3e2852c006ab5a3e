"""The Cloud API is asked which number a bot has, and each failure is said in a sentence."""

import socket
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from pytest_django.fixtures import Settings

from bot.channels.connection import Account
from bot.channels.whatsapp import api
from bot.dev.standins import StandIn
from bot.tests.operations.trying import SECRETS, TOKEN, check, failure, graph_error
from bot.tests.support.factories import PHONE_NUMBER_ID

NUMBER = "+1 555-010-0001"
CONNECTED = f"Connected: Stand-in & Sons, {NUMBER} (quality rating: high)."
PROFILE = {"id": PHONE_NUMBER_ID, "display_phone_number": NUMBER}


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("whatsapp") as stand_in:
        yield stand_in


@pytest.fixture
def graph(running: StandIn, settings: Settings) -> StandIn:
    running.reset()
    settings.WHATSAPP_API_URL = f"{running.url}/v26.0"
    return running


def test_the_account_is_asked_for_with_the_token_and_nothing_is_sent(graph: StandIn) -> None:
    connection = check()
    assert (connection.sentence, connection.contact) == (CONNECTED, NUMBER)
    (request,) = graph.requests()
    assert (request["method"], request["authorized"], request["body"]) == ("GET", True, None)
    path, _, fields = request["path"].partition("?fields=")
    assert path == f"/v26.0/{PHONE_NUMBER_ID}"
    assert set(fields.replace("%2C", ",").split(",")) == {
        "id", "display_phone_number", "verified_name", "quality_rating",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "answer", "said"),
    [
        (
            "a rating that is low",
            {"quality_rating": "RED", "verified_name": "Shop"},
            f"Shop, {NUMBER} (quality rating: low)",
        ),
        ("none yet", {"quality_rating": "UNKNOWN", "verified_name": "Shop"}, "quality rating: not rated yet"),
        ("a rating of the wrong type", {"quality_rating": ["GREEN"]}, "quality rating: not rated yet"),
        ("no name", {}, f"Connected: –, {NUMBER}"),
        ("a name with lines and control characters", {"verified_name": "A\nB\x00\x1b[31m"}, "Connected: A B[31m, "),
        ("a name without an end", {"verified_name": "x" * 5000}, f"Connected: {'x' * 100}, "),
    ],
)
def test_what_the_account_says_of_itself_is_shown_on_one_line(
    graph: StandIn, label: str, answer: dict[str, Any], said: str
) -> None:
    graph.script([{"json": {**PROFILE, **answer}}])
    assert said in check().sentence


@pytest.mark.parametrize(
    ("label", "behaviour", "code", "error_code", "advice"),
    [
        ("token refused", graph_error(190, 401), "token_refused", "190", "Generate a permanent one"),
        ("token expired", graph_error(190, error_subcode=463), "token_refused", "190", "has expired"),
        ("no session", graph_error(0, 401), "token_refused", "0", "Generate a permanent one"),
        ("a 401 without words", {"status": 401, "empty": True}, "token_refused", "http_401", "Generate a permanent"),
        ("no such id", graph_error(100, error_subcode=33), "account_unknown", "100", "enter the phone number ID"),
        ("the id of something else", graph_error(100), "account_unknown", "100", "nor the ID of the WhatsApp Business"),
        ("a number that was deleted", graph_error(33), "account_unknown", "33", "enter the phone number ID"),
        ("no permission", graph_error(10, 403), "permission_missing", "10", "whatsapp_business_management"),
        ("no permission, 200", graph_error(200, 403), "permission_missing", "200", "whatsapp_business_management"),
        ("no permission, 299", graph_error(299, 403), "permission_missing", "299", "whatsapp_business_management"),
        ("throttled", graph_error(4), "throttled", "4", "wait some minutes"),
        ("throttled account", graph_error(80007), "throttled", "80007", "wait some minutes"),
        ("a 429 without words", {"status": 429, "raw": "slow"}, "throttled", "http_429", "wait some minutes"),
        ("restricted", graph_error(368, 403), "account_restricted", "368", "WhatsApp Manager"),
        ("trouble at Meta", graph_error(131016, 500), "provider_down", "131016", "wait some minutes"),
        ("a new code with a 503", graph_error(987654, 503), "provider_down", "987654", "wait some minutes"),
        ("a gateway's 502", {"status": 502, "raw": "<html>"}, "provider_down", "http_502", "wait some minutes"),
        ("a new code", graph_error(987654), "refused", "987654", "error 987654"),
        ("an error in a 200", graph_error(190, 200), "token_refused", "190", "Generate a permanent one"),
        ("a page", {"raw": "<html>Welcome</html>"}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("nothing", {"empty": True}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("a list", {"json": [PROFILE]}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("no number", {"json": {"id": PHONE_NUMBER_ID}}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("another account", {"json": {**PROFILE, "id": "1"}}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("a 404 without words", {"status": 404, "raw": "no"}, "unreadable_answer", "http_404", "WHATSAPP_API_URL"),
    ],
)
def test_each_failure_says_what_to_do(
    graph: StandIn, label: str, behaviour: dict[str, Any], code: str, error_code: str, advice: str
) -> None:
    graph.script([behaviour])
    error = failure()
    assert (error.code, error.error_code) == (code, error_code), label
    assert advice in error.sentence
    assert error.provider_request_id == ("Axyz" if "json" in behaviour and error_code.isdecimal() else "")
    assert len(graph.requests()) == 1


def test_a_connection_that_breaks_off_twice_is_lost(graph: StandIn) -> None:
    graph.script([{"reset": True}, {"reset": True}])  # (aiohttp repeats a GET once)
    error = failure()
    assert (error.code, error.error_code) == ("connection_lost", "connection_lost")
    assert "test again" in error.sentence


def test_a_redirect_is_not_followed(graph: StandIn) -> None:
    elsewhere = f"{graph.url}/v26.0/{PHONE_NUMBER_ID}"
    graph.script([{"status": 302, "headers": {"Location": elsewhere}, "json": {}}])
    assert failure().code == "unreadable_answer"
    assert len(graph.requests()) == 1


@pytest.mark.parametrize("behaviour", [{"hang": True}, {"drip": 0.05}])
def test_an_answer_that_does_not_come_is_not_waited_for(
    graph: StandIn, monkeypatch: pytest.MonkeyPatch, behaviour: dict[str, Any]
) -> None:
    monkeypatch.setattr(api, "READ_TIMEOUT", aiohttp.ClientTimeout(total=0.5, connect=0.4))
    graph.script([behaviour])
    assert failure().code == "timeout"


def test_the_time_that_is_waited_is_bounded() -> None:
    assert api.READ_TIMEOUT.total == 10


def test_a_server_that_is_not_there_cannot_be_reached(settings: Settings) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        settings.WHATSAPP_API_URL = f"http://127.0.0.1:{taken.getsockname()[1]}/v26.0"
        assert failure().code == "unreachable"


def test_an_address_that_is_none_is_said_to_be(settings: Settings) -> None:
    settings.WHATSAPP_API_URL = "http://:1/v26.0"
    assert failure().code == "invalid_url"


@pytest.mark.parametrize(
    ("account_id", "token", "code"),
    [
        (PHONE_NUMBER_ID, "", "access_token_missing"),
        (PHONE_NUMBER_ID, "a\nb", "access_token_missing"),
        (PHONE_NUMBER_ID, "a b", "access_token_missing"),
        ("", TOKEN, "phone_number_id_missing"),
        ("..", TOKEN, "phone_number_id_wrong"),
    ],
)
def test_what_was_not_entered_is_asked_for_before_anybody_is_called(
    graph: StandIn, account_id: str, token: str, code: str
) -> None:
    assert failure(Account("shop", account_id, {**SECRETS, "access_token": token})).code == code
    assert graph.requests() == []
