"""Sending by WhatsApp: what goes out, and what each failure means for the message. Against a real HTTP server."""

import asyncio
import json
import socket
import traceback
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from pytest_django.fixtures import Settings

from bot.channels.base import Account, OutboundText, SendError
from bot.channels.documents import LARGEST_DOCUMENT_BYTES
from bot.channels.echo import sign_id
from bot.channels.whatsapp import WhatsAppChannel, api
from bot.dev.standins import StandIn

pytestmark = pytest.mark.promise("uncertain")

CHANNEL = WhatsAppChannel()
TOKEN = "EAAtoken0123456789"
ACCOUNT = Account("support", "100000000000001", {"access_token": TOKEN}, echo_keys=(b"our key",))
TEXT = OutboundText(id=42, address="+4915123456789", text="Grüße 👋🏽\nBob")


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("whatsapp") as stand_in:
        yield stand_in


@pytest.fixture
def graph(running: StandIn, settings: Settings) -> StandIn:
    running.reset()
    settings.WHATSAPP_API_URL = f"{running.url}/v26.0"
    return running


def in_session(action: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        async with aiohttp.ClientSession() as client:
            return await action(client)

    return asyncio.run(run())


def send(message: OutboundText = TEXT, account: Account = ACCOUNT) -> str:
    return in_session(lambda client: CHANNEL.send(client, account, message))


def failure(message: OutboundText = TEXT, account: Account = ACCOUNT) -> SendError:
    with pytest.raises(SendError) as caught:
        send(message, account)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return caught.value


NO_OBJECT = "Unsupported post request. Object with ID '100000000000001' does not exist, cannot be loaded due to …"


def graph_error(code: int, status: int = 400, **headers: str) -> dict[str, Any]:
    error = {"message": f"(#{code}) +4915123456789", "type": "OAuthException", "code": code, "fbtrace_id": "x"}
    return {"status": status, "json": {"error": error}, "headers": headers}


def invalid(**more: Any) -> dict[str, Any]:
    """Return the error 100, whose meaning its other fields tell."""
    behaviour = graph_error(100)
    behaviour["json"]["error"] |= more
    return behaviour


# --- what goes out ---


def test_a_text_goes_to_the_number_with_our_id_and_returns_the_providers(graph: StandIn) -> None:
    sent_id = send()
    (request,) = graph.requests()
    assert request["id"] == sent_id
    assert (request["method"], request["path"]) == ("POST", "/v26.0/100000000000001/messages")
    assert request["authorized"] is True
    assert request["body"] == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "4915123456789",
        "type": "text",
        "text": {"body": "Grüße 👋🏽\nBob", "preview_url": False},
        "biz_opaque_callback_data": sign_id([b"our key"], 42),
    }


def test_a_person_without_a_number_is_reached_by_the_bsuid(graph: StandIn) -> None:
    send(OutboundText(id=43, address="DE.4815162342", text="Hello"))
    content = graph.requests()[0]["body"]
    assert content["recipient"] == "DE.4815162342"
    assert "to" not in content


def test_read_and_typing_are_one_call(graph: StandIn) -> None:
    in_session(lambda client: CHANNEL.show_typing(client, ACCOUNT, "wamid.ALICE1"))
    (request,) = graph.requests()
    assert request["body"] == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.ALICE1",
        "typing_indicator": {"type": "text"},
    }


def test_typing_that_is_refused_is_a_send_error(graph: StandIn) -> None:
    graph.script([graph_error(131009)])
    with pytest.raises(SendError, match="131009"):
        in_session(lambda client: CHANNEL.show_typing(client, ACCOUNT, "wamid.ALICE1"))


# --- what a failure means ---

RETRY, GIVE_UP, UNCERTAIN = "retry", "give up", "uncertain"
TOKEN_REFUSED, ACCOUNT_REFUSED = "token refused", "account refused"


def meaning(error: SendError) -> str:
    if error.credentials_refused:
        assert not error.retryable
        assert not error.uncertain
        return TOKEN_REFUSED
    if error.account_refused:
        assert not error.retryable
        assert not error.uncertain
        return ACCOUNT_REFUSED
    assert not (error.retryable and error.uncertain)
    return RETRY if error.retryable else UNCERTAIN if error.uncertain else GIVE_UP


@pytest.mark.parametrize(
    ("label", "behaviour", "expected", "code"),
    [
        ("too many messages a second", graph_error(130429, 429), RETRY, "130429"),
        ("too many messages, with a 400", graph_error(130429), RETRY, "130429"),
        ("too many messages to one person", graph_error(131056), RETRY, "131056"),
        ("the service is unavailable", graph_error(131016, 500), RETRY, "131016"),
        ("the business's limit", graph_error(80007), RETRY, "80007"),
        ("the application's limit", graph_error(4), RETRY, "4"),
        ("an unknown error, but the API's own", graph_error(131000, 500), RETRY, "131000"),
        ("an unknown code with a 429", graph_error(987654, 429), RETRY, "987654"),
        ("the window is closed", graph_error(131047), GIVE_UP, "131047"),
        ("not on WhatsApp", graph_error(131026), GIVE_UP, "131026"),
        ("marked as spam, with a 429", graph_error(131048, 429), GIVE_UP, "131048"),
        ("unsupported", graph_error(131051), GIVE_UP, "131051"),
        ("a parameter is wrong", graph_error(100), GIVE_UP, "100"),
        ("an unknown code", graph_error(987654), GIVE_UP, "987654"),
        ("a code that fits no column", graph_error(10**200), GIVE_UP, "http_400"),
        ("the token is refused", graph_error(190, 401), TOKEN_REFUSED, "190"),
        ("the token is refused with a 400", graph_error(190), TOKEN_REFUSED, "190"),
        ("the token is none at all", graph_error(0), TOKEN_REFUSED, "0"),
        ("the session is over", graph_error(102), TOKEN_REFUSED, "102"),
        ("a permission is missing", graph_error(10, 403), ACCOUNT_REFUSED, "10"),
        ("another permission is missing", graph_error(200, 403), ACCOUNT_REFUSED, "200"),
        ("one more permission", graph_error(299, 403), ACCOUNT_REFUSED, "299"),
        ("the app may not", graph_error(3), ACCOUNT_REFUSED, "3"),
        ("the number was deleted", graph_error(33), ACCOUNT_REFUSED, "33"),
        ("a breach of policy", graph_error(368, 403), ACCOUNT_REFUSED, "368"),
        ("access is denied", graph_error(131005, 403), ACCOUNT_REFUSED, "131005"),
        ("the account is locked", graph_error(131031, 403), ACCOUNT_REFUSED, "131031"),
        ("no display name", graph_error(131037), ACCOUNT_REFUSED, "131037"),
        ("nothing was paid", graph_error(131042), ACCOUNT_REFUSED, "131042"),
        ("the certificate is wrong", graph_error(131045, 403), ACCOUNT_REFUSED, "131045"),
        ("the number is not registered", graph_error(133010), ACCOUNT_REFUSED, "133010"),
        ("no such number", invalid(error_subcode=33), ACCOUNT_REFUSED, "100"),
        ("no such number, in words", invalid(message=NO_OBJECT), ACCOUNT_REFUSED, "100"),
        ("another subcode", invalid(error_subcode=2494010), GIVE_UP, "100"),
        ("a permission for now", graph_error(10, 503), RETRY, "10"),
        ("the registration's server is down", graph_error(133004, 503), RETRY, "133004"),
        ("the account is being maintained", graph_error(131057, 500), RETRY, "131057"),
        ("an error inside a 200", graph_error(131047, 200), GIVE_UP, "131047"),
        ("a 401 without words", {"status": 401, "raw": "no"}, TOKEN_REFUSED, "http_401"),
        ("a 429 without words", {"status": 429, "raw": "slow down"}, RETRY, "http_429"),
        ("a 404 without words", {"status": 404, "raw": "<html>"}, GIVE_UP, "http_404"),
        ("a 413 without words", {"status": 413, "empty": True}, GIVE_UP, "http_413"),
        ("a gateway's 502", {"status": 502, "raw": "<html>Bad gateway</html>"}, UNCERTAIN, "http_502"),
        ("a gateway's 504", {"status": 504, "empty": True}, UNCERTAIN, "http_504"),
        ("a 500 with odd JSON", {"status": 500, "json": {"error": {"code": "x"}}}, UNCERTAIN, "http_500"),
        ("a garbage 200", {"raw": "garbage"}, UNCERTAIN, "no_message_id"),
        ("an empty 200", {"empty": True}, UNCERTAIN, "no_message_id"),
        ("a 200 without an id", {"json": {"messages": []}}, UNCERTAIN, "no_message_id"),
        ("a 200 with an id that is none", {"json": {"messages": [{"id": 7}]}}, UNCERTAIN, "no_message_id"),
        ("a nested 200", {"raw": "[" * 100_000}, UNCERTAIN, "no_message_id"),
        ("a lost connection", {"reset": True}, UNCERTAIN, "connection_lost"),
    ],
)
def test_each_failure_is_classified(
    graph: StandIn, label: str, behaviour: dict[str, Any], expected: str, code: str
) -> None:
    graph.script([behaviour])
    error = failure()
    assert (meaning(error), error.code) == (expected, code), label
    assert len(graph.requests()) == 1, label


@pytest.mark.parametrize(
    ("trace_id", "known_as"),
    [("AbC-12_3dEf", "AbC-12_3dEf"), ("+4915123456789 x", ""), ("a" * 65, ""), (7, ""), (None, ""), ({}, "")],
)
def test_metas_id_of_a_refusal_is_kept_for_its_support_where_it_looks_like_one(
    graph: StandIn, trace_id: Any, known_as: str
) -> None:
    behaviour = graph_error(131026)
    behaviour["json"]["error"]["fbtrace_id"] = trace_id
    graph.script([behaviour])
    assert failure().provider_request_id == known_as


def test_an_answer_that_does_not_come_is_uncertain(graph: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT", aiohttp.ClientTimeout(total=0.3, connect=0.1))
    graph.script([{"hang": True}, {"drip": 0.2}])
    assert [(meaning(error), error.code) for error in (failure(), failure())] == [(UNCERTAIN, "timeout")] * 2
    assert len(graph.requests()) == 2


def test_a_refused_connection_is_retried_for_nothing_was_sent(settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.WHATSAPP_API_URL = f"http://127.0.0.1:{closed.getsockname()[1]}/v26.0"
        error = failure()
    assert (meaning(error), error.code) == (RETRY, "unreachable")


def test_waiting_for_a_connection_in_vain_is_retried_for_nothing_was_sent(
    graph: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "TIMEOUT", aiohttp.ClientTimeout(total=5, connect=0.2))
    graph.script([{"delay": 1}])

    async def two_at_once() -> list[Any]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as client:
            sends = (CHANNEL.send(client, ACCOUNT, TEXT) for _ in range(2))
            return await asyncio.gather(*sends, return_exceptions=True)

    first, second = asyncio.run(two_at_once())
    assert first.startswith("wamid.")
    assert (meaning(second), second.code) == (RETRY, "unreachable")
    assert len(graph.requests()) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(graph: StandIn, status: int) -> None:
    graph.script([{"status": status, "headers": {"Location": f"{graph.url}/v26.0/1/messages"}, "empty": True}])
    error = failure()
    assert (meaning(error), error.code) == (GIVE_UP, f"http_{status}")
    assert len(graph.requests()) == 1


@pytest.mark.parametrize(
    ("label", "behaviour", "seconds"),
    [
        ("as the header says", graph_error(130429, 429, **{"Retry-After": "7"}), 7.0),
        ("without a readable error", {"status": 429, "empty": True, "headers": {"Retry-After": "1.5"}}, 1.5),
        ("bounded", graph_error(130429, 429, **{"Retry-After": "1e9"}), 3600.0),
        ("not a number", graph_error(130429, 429, **{"Retry-After": "nan"}), None),
        ("negative", graph_error(130429, 429, **{"Retry-After": "-1"}), None),
        ("a date", graph_error(130429, 429, **{"Retry-After": "Fri, 20 Nov 2026 08:00:00 GMT"}), None),
        ("none", graph_error(130429, 429), None),
        ("the pair limit's own", graph_error(131056), 6.0),
    ],
)
def test_the_wait_that_is_asked_for_is_handed_on(
    graph: StandIn, label: str, behaviour: dict[str, Any], seconds: float | None
) -> None:
    graph.script([behaviour])
    assert failure().retry_after == seconds, label


@pytest.mark.parametrize("token", [None, "", "  ", "EAA\nX-Injected: 1", "EAAü", "EAA # of May"])
def test_a_token_that_cannot_be_one_is_not_sent(graph: StandIn, token: str | None) -> None:
    credentials = {} if token is None else {"access_token": token}
    assert meaning(failure(account=Account("support", "1", credentials))) == TOKEN_REFUSED
    assert graph.requests() == []


@pytest.mark.parametrize(
    "account_id", ["..", ".", "1/../2", "%2e%2e", "..%2Fme", "me", "12 3", "12\n", "１２３", "1" * 33, "-1", "+49171"]
)
def test_an_account_id_that_is_no_number_of_meta_takes_the_token_nowhere(graph: StandIn, account_id: str) -> None:
    account = Account("support", account_id, {"access_token": TOKEN})
    wrong = failure(account=account)
    assert (wrong.code, wrong.credentials_refused) == ("phone_number_id_wrong", True)
    with pytest.raises(SendError):
        in_session(lambda client: api.read(client, account, "id"))
    with pytest.raises(SendError):
        in_session(lambda client: api.upload(client, account, "a.txt", b"x", "text/plain"))
    assert graph.requests() == []


def test_without_an_account_id_nobody_is_asked(graph: StandIn) -> None:
    nowhere = failure(account=Account("support", "", {"access_token": TOKEN}))
    assert (nowhere.code, nowhere.credentials_refused) == ("phone_number_id_missing", True)


def test_an_answer_that_is_not_http_is_uncertain_and_shows_no_token(settings: Settings) -> None:
    async def run() -> SendError:
        async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"not HTTP at all\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(garbage, "127.0.0.1", 0)
        settings.WHATSAPP_API_URL = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v26.0"
        async with server, aiohttp.ClientSession() as client:
            with pytest.raises(SendError) as caught:
                await CHANNEL.send(client, ACCOUNT, TEXT)
            return caught.value

    error = asyncio.run(run())
    assert meaning(error) == UNCERTAIN
    assert TOKEN not in "".join(traceback.format_exception(error))


def test_errors_say_neither_number_nor_text(graph: StandIn) -> None:
    graph.script([graph_error(131026)])
    shown = json.dumps([str(failure()), repr(TEXT.id)])
    assert "4915123456789" not in shown


# --- documents ---

DOCUMENT = OutboundText(id=44, address="+4915123456789", text="Größe: 1\n👋🏽 {}", filename="parley-data.txt")


def upload(message: OutboundText = DOCUMENT, account: Account = ACCOUNT) -> str:
    return in_session(lambda client: CHANNEL.upload(client, account, message))


def upload_failure(message: OutboundText = DOCUMENT, account: Account = ACCOUNT) -> SendError:
    with pytest.raises(SendError) as caught:
        upload(message, account)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_a_document_is_uploaded_as_text_and_then_sent_by_its_id_with_our_own(graph: StandIn) -> None:
    media_id = upload()
    sent_id = send(replace(DOCUMENT, upload_id=media_id))
    uploaded, sent = graph.requests()
    assert (uploaded["method"], uploaded["path"]) == ("POST", "/v26.0/100000000000001/media")
    assert uploaded["headers"]["Content-Type"].startswith("multipart/form-data; boundary=")
    assert (uploaded["authorized"], uploaded["id"]) == (True, media_id)
    assert uploaded["body"] == {
        "messaging_product": "whatsapp",
        "type": "text/plain",
        "file": {"filename": "parley-data.txt", "type": "text/plain", "content": DOCUMENT.text},
    }
    assert (sent["path"], sent["id"]) == ("/v26.0/100000000000001/messages", sent_id)
    assert sent["body"] == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "4915123456789",
        "type": "document",
        "document": {"id": media_id, "filename": "parley-data.txt"},
        "biz_opaque_callback_data": sign_id([b"our key"], 44),
    }


def test_a_large_document_goes_through(graph: StandIn) -> None:
    text = "ä" * (LARGEST_DOCUMENT_BYTES // 2)
    upload(replace(DOCUMENT, text=text))
    assert graph.requests()[0]["body"]["file"]["content"] == text


@pytest.mark.parametrize(
    ("label", "behaviour", "expected", "code"),
    [
        ("too many requests", graph_error(130429, 429), RETRY, "130429"),
        ("the service is unavailable", graph_error(131016, 500), RETRY, "131016"),
        ("a gateway's 502", {"status": 502, "raw": "<html>Bad gateway</html>"}, RETRY, "http_502"),
        ("a garbage 200", {"raw": "garbage"}, RETRY, "no_media_id"),
        ("an empty 200", {"empty": True}, RETRY, "no_media_id"),
        ("a 200 with an id that is none", {"json": {"id": 7}}, RETRY, "no_media_id"),
        ("reset after the request was read", {"reset": True}, RETRY, "connection_lost"),
        ("the file is refused", graph_error(100), GIVE_UP, "100"),
        ("the token is refused", graph_error(190, 401), TOKEN_REFUSED, "190"),
    ],
)
def test_an_upload_that_fails_has_sent_nothing(
    graph: StandIn, label: str, behaviour: dict[str, Any], expected: str, code: str
) -> None:
    graph.script([behaviour])
    error = upload_failure()
    assert (meaning(error), error.code) == (expected, code)


def test_an_upload_that_is_not_answered_in_time_has_sent_nothing(
    graph: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "TIMEOUT", aiohttp.ClientTimeout(total=0.3, connect=0.2))
    graph.script([{"hang": True}])
    error = upload_failure()
    assert (meaning(error), error.code) == (RETRY, "timeout")


def test_an_upload_is_not_redirected(graph: StandIn) -> None:
    graph.script([{"status": 307, "headers": {"Location": f"{graph.url}/v26.0/elsewhere/media"}, "empty": True}])
    upload_failure()
    assert [request["path"] for request in graph.requests()] == ["/v26.0/100000000000001/media"]


def test_the_stand_in_sends_no_document_that_was_not_uploaded(graph: StandIn) -> None:
    assert failure(replace(DOCUMENT, upload_id="1234")).code == "100"
