"""The stand-ins are what losses and duplicates are counted with, so they are tested themselves."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.dev.standins import StandIn
from bot.dev.standins.process import OPENER

COMPLETIONS = "/v1/chat/completions"
MESSAGES = "/v26.0/100000000000001/messages"
QUESTION = {
    "model": "gpt-6-luna",
    "messages": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}],
}
TEXT = {"messaging_product": "whatsapp", "to": "15551234567", "type": "text", "text": {"body": "Hello"}}
BEARER = {"Authorization": "Bearer token-of-the-test"}


@pytest.fixture(scope="module")
def running_model() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def model(running_model: StandIn) -> StandIn:
    running_model.reset()
    return running_model


@pytest.fixture(scope="module")
def running_whatsapp() -> Iterator[StandIn]:
    with StandIn.start("whatsapp") as stand_in:
        yield stand_in


@pytest.fixture
def whatsapp(running_whatsapp: StandIn) -> StandIn:
    running_whatsapp.reset()
    return running_whatsapp


def post(url: str, body: Any, headers: dict[str, str] | None = None, timeout: float = 10) -> tuple[int, bytes]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json", **(headers or {})})  # noqa: S310
    try:
        with OPENER.open(request, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_model_echoes_the_last_user_message_with_usage_like_openai(model: StandIn) -> None:
    status, content = post(model.url + COMPLETIONS, QUESTION)
    answer = json.loads(content)
    assert status == 200
    assert answer["choices"][0]["message"]["content"] == "Echo: Hi"
    assert answer["model"] == "gpt-6-luna-2026-01-01"
    assert answer["usage"]["prompt_tokens"] > answer["usage"]["prompt_tokens_details"]["cached_tokens"] > 0


def test_a_request_is_logged_before_it_is_answered_and_without_its_token(model: StandIn) -> None:
    model.script([{"hang": True}])
    with pytest.raises(TimeoutError):
        post(model.url + COMPLETIONS, QUESTION, BEARER, timeout=0.2)
    (received,) = model.requests()
    assert received["body"] == QUESTION
    assert received["authorized"] is True
    assert received["status"] is None
    assert "token-of-the-test" not in json.dumps(received)


def test_each_behaviour_is_used_up_by_one_request(model: StandIn) -> None:
    throttled = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
    model.script(
        [{"status": 429, "headers": {"Retry-After": "1"}, "json": throttled}, {"raw": "garbage"}, {"empty": True}]
    )
    assert post(model.url + COMPLETIONS, QUESTION) == (429, json.dumps(throttled).encode())
    assert post(model.url + COMPLETIONS, QUESTION) == (200, b"garbage")
    assert post(model.url + COMPLETIONS, QUESTION) == (200, b"")
    status, content = post(model.url + COMPLETIONS, QUESTION)
    assert (status, json.loads(content)["object"]) == (200, "chat.completion")


def test_what_was_billed_is_logged_and_nothing_where_no_usage_was_answered(model: StandIn) -> None:
    model.script([{"text": " "}, {"raw": "garbage"}, {"status": 500}, {"empty": True}])
    answers = [post(model.url + COMPLETIONS, QUESTION) for _ in range(5)]
    billed = [request["billed"] for request in model.requests()]
    assert billed == [json.loads(answers[0][1])["usage"], None, None, None, json.loads(answers[4][1])["usage"]]
    assert billed[0]["completion_tokens"] == 1
    model.script([{"reset": True}])
    with pytest.raises(ConnectionResetError):
        post(model.url + COMPLETIONS, QUESTION)
    assert model.requests()[-1]["billed"] is None


def test_a_behaviour_for_certain_words_waits_for_the_request_that_holds_them(model: StandIn) -> None:
    model.script([{"for": "words", "status": 500}, {"status": 429}])
    special = {**QUESTION, "messages": [{"role": "user", "content": "some words"}]}
    asked = (QUESTION, special, special)
    assert [post(model.url + COMPLETIONS, question)[0] for question in asked] == [429, 500, 200]


def test_a_reset_closes_the_connection_after_the_request_was_read(model: StandIn) -> None:
    model.script([{"reset": True}])
    with pytest.raises(ConnectionResetError):
        post(model.url + COMPLETIONS, QUESTION)
    assert len(model.requests()) == 1


def test_a_drip_sends_one_byte_an_interval_and_a_delay_waits(model: StandIn) -> None:
    model.script([{"drip": 0.02, "json": {"a": 1}}, {"delay": 0.2}])
    started = time.monotonic()
    assert post(model.url + COMPLETIONS, QUESTION) == (200, b'{"a": 1}')
    dripped = time.monotonic()
    post(model.url + COMPLETIONS, QUESTION)
    assert dripped - started >= 7 * 0.02  # eight bytes: seven intervals between them
    assert time.monotonic() - dripped >= 0.2


def test_a_misspelt_behaviour_is_refused(model: StandIn) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        model.script([{"hangs": True}])
    with pytest.raises(urllib.error.HTTPError, match="400"):
        model.faults([(0.5, {"hangs": True})])


def test_random_faults_come_in_their_share_the_same_again_with_the_same_seed_until_they_are_ended(
    model: StandIn,
) -> None:
    def answers() -> list[int]:
        model.faults([(0.4, {"status": 500, "json": {}}), (0.2, {"status": 429, "json": {}, "delay": [0.0, 0.01]})], 7)
        return [post(model.url + COMPLETIONS, QUESTION)[0] for _ in range(60)]

    first = answers()
    assert first == answers()
    assert 12 <= first.count(500) <= 36
    assert 3 <= first.count(429) <= 24
    delays = {request["behaviour"].get("delay", 0.0) for request in model.requests()}
    assert len(delays) > 2 and max(delays) <= 0.01
    model.faults([])
    assert {post(model.url + COMPLETIONS, QUESTION)[0] for _ in range(20)} == {200}


def test_each_send_gets_an_id_of_its_own_and_a_read_receipt_gets_none(whatsapp: StandIn) -> None:
    ids = [json.loads(post(whatsapp.url + MESSAGES, TEXT, BEARER)[1])["messages"][0]["id"] for _ in range(3)]
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.X"}
    assert post(whatsapp.url + MESSAGES, read, BEARER) == (200, b'{"success": true}')
    assert len(set(ids)) == 3
    assert [request["id"] for request in whatsapp.requests()] == [*ids, ""]


@pytest.mark.parametrize(
    ("label", "body", "headers", "code"),
    [
        ("no token", TEXT, {}, 190),
        ("an empty token", TEXT, {"Authorization": "Bearer "}, 190),
        ("nobody to send to", {**TEXT, "to": ""}, BEARER, 100),
        ("a text too long", {**TEXT, "text": {"body": "x" * 4097}}, BEARER, 100),
        ("no text", {**TEXT, "text": {"body": " "}}, BEARER, 100),
        ("no JSON", b"{", BEARER, 100),
    ],
)
def test_what_the_cloud_api_would_refuse_is_refused(
    whatsapp: StandIn, label: str, body: Any, headers: dict[str, str], code: int
) -> None:
    status, content = post(whatsapp.url + MESSAGES, body, headers)
    assert status in (400, 401), label
    assert json.loads(content)["error"]["code"] == code, label


def test_an_account_tells_what_it_is_asked_and_only_who_has_a_token(whatsapp: StandIn) -> None:
    account = whatsapp.url + MESSAGES.removesuffix("/messages")

    def ask(url: str, headers: dict[str, str]) -> tuple[int, Any]:
        try:
            with OPENER.open(urllib.request.Request(url, headers=headers), timeout=10) as response:  # noqa: S310
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)["error"]["code"]

    asked = account + "?fields=id,verified_name,name_status"
    assert ask(asked, BEARER) == (200, {"id": "100000000000001", "verified_name": "Stand-in & Sons"})
    assert ask(asked, {}) == (401, 190)
    assert ask(account + "x", BEARER) == (404, 100)
    assert ask(whatsapp.url + MESSAGES, BEARER) == (404, 100)
    assert post(account, TEXT, BEARER)[0] == 404


def test_the_log_file_has_one_json_line_a_request_whatever_the_body_looks_like(tmp_path: Path) -> None:
    log = tmp_path / "whatsapp.jsonl"
    with StandIn.start("whatsapp", log=log) as stand_in:
        post(stand_in.url + MESSAGES, json.dumps(TEXT, indent=2).encode(), BEARER)
        post(stand_in.url + MESSAGES, b"\xff\nnot json", BEARER)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["body"] for line in lines] == [TEXT, None]
    assert lines[1]["raw"] == "\ufffd\nnot json"


def test_a_stopped_stand_in_refuses_connections_and_its_port_can_be_taken_again() -> None:
    first = StandIn.start("model", reply="Always this")
    first.stop()
    first.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", first.port), timeout=2)
    with StandIn.start("model", port=first.port, reply="Always this") as second:
        assert b"Always this" in post(second.url + COMPLETIONS, QUESTION)[1]


def test_a_stand_in_that_cannot_start_says_so(running_model: StandIn) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        StandIn.start("model", port=running_model.port)
