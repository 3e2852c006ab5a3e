"""What people and machines are answered when a request fails, through the real WSGI application."""

import html
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from sentry_sdk.transport import Transport

from bot.channels.registry import CHANNELS
from bot.simulator import queries
from bot.tests.support.factories import ALICE, BotFactory
from bot.tests.support.wsgi import Answer, ask
from bot.tests.web.failing import CANARY, Broken, away, lines
from config.logs.lines import JsonLines
from config.logs.sentry import init_sentry
from users.models import User

pytestmark = pytest.mark.promise("errors", "through the WSGI application")

FORM = "application/x-www-form-urlencoded"
TOKEN = "a" * 32


# What a page's own form has, so that it is not refused for its lack.
GENUINE: dict[str, Any] = {"HTTP_COOKIE": f"csrftoken={TOKEN}", "HTTP_X_CSRFTOKEN": TOKEN, "CONTENT_TYPE": FORM}


@pytest.fixture
def webhook(db: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a webhook whose channel has a bug."""
    monkeypatch.setitem(CHANNELS, "console", Broken())
    return f"/webhooks/console/{BotFactory.active().slug}/"


@pytest.fixture
def owner(db: None) -> str:
    """The cookie of an owner who is signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser(ALICE, "correct horse"))
    return f"sessionid={client.cookies['sessionid'].value}"


@pytest.fixture
def reports() -> Iterator[list[Any]]:
    """What is reported to Sentry."""
    sent: list[Any] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            sent.extend(item.payload.json for item in envelope.items if item.headers.get("type") == "event")

    init_sentry("https://key@sentry.invalid/1", "test", transport=Kept)
    yield sent
    sentry_sdk.init()


def fails(*args: Any) -> Any:
    raise RuntimeError(f"a bug that {CANARY} found")


def check_page(answer: Answer, status: int, title: str) -> None:
    """Check that an answer is our page, complete in itself, and that its reference is that of its header."""
    assert answer.status == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{title}</h1>" in html.unescape(answer.text)
    assert f"<code>{answer.headers['x-request-id']}</code>" in answer.text
    assert "src=" not in answer.text and "<link" not in answer.text and "<script" not in answer.text


# --- machines ---


def test_an_unexpected_error_in_a_webhook_is_json_logged_once_and_reported_once(
    webhook: str, caplog: pytest.LogCaptureFixture, reports: list[Any]
) -> None:
    answer = ask(webhook, "POST", b"{}", CONTENT_TYPE="application/json")

    assert (answer.status, answer.headers["content-type"]) == (500, "application/json")
    assert json.loads(answer.text) == {
        "status": "error",
        "code": "INTERNAL_ERROR",
        "detail": "an unexpected error, which was logged",
    }
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.message == "request_crashed" and record.exc_info
    text = JsonLines().format(record)
    assert "RuntimeError: [text withheld]" in text
    assert [event["exception"]["values"][0]["type"] for event in reports] == ["RuntimeError"]
    assert CANARY not in text + json.dumps(reports) + answer.text


# --- people ---


def test_a_page_that_is_not_there(db: None) -> None:
    check_page(ask("/nowhere/"), 404, "Page not found")


def test_a_page_of_the_admin_that_is_not_there(owner: str) -> None:
    check_page(ask("/admin/nowhere/", HTTP_COOKIE=owner), 404, "Page not found")


def test_a_page_that_is_not_for_this_person(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user(ALICE, "correct horse"))
    cookie = f"sessionid={client.cookies['sessionid'].value}"

    check_page(ask("/", HTTP_COOKIE=cookie), 403, "No access")


def test_a_form_without_its_token(db: None, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask("/admin/login/", "POST", b"username=a", CONTENT_TYPE=FORM)

    check_page(answer, 403, "This form has expired")
    assert "reload the page" in answer.text


@pytest.mark.parametrize("path", ["/", "/simulator/send/", "/simulator/updates/"])
def test_another_method(db: None, path: str) -> None:
    answer = ask(path, "DELETE", **GENUINE)

    check_page(answer, 405, "Not possible here")
    assert answer.headers["allow"]


def test_too_large_a_form(db: None) -> None:
    body = b"username=" + b"a" * configured.DATA_UPLOAD_MAX_MEMORY_SIZE

    check_page(ask("/admin/login/", "POST", body, **GENUINE), 413, "Too large")


def test_too_many_fields(db: None) -> None:
    body = b"&".join(b"a=1" for _ in range(2_000))

    check_page(ask("/admin/login/", "POST", body, **GENUINE), 400, "This request can't be read")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain; filename*=BOGUS''a",
        "text/plain; charset=hex",
        "text/plain; charset=utf-16",
        "text/plain; charset=\x00",
        "text/plain; charset*=utf-8''%00",
        "text/plain; charset=no-such-charset",
    ],
)
@pytest.mark.parametrize("path", ["/", "/admin/login/?next=%ff", "/nowhere/"])
def test_a_content_type_nobody_can_read_is_a_bad_request(db: None, path: str, content_type: str) -> None:
    for method in ("GET", "POST"):
        check_page(ask(path, method, CONTENT_TYPE=content_type), 400, "This request can't be read")


@pytest.mark.parametrize("content_type", ["", FORM, f"{FORM}; charset=UTF-8", "text/plain; charset=us-ascii", ";", "x"])
def test_a_content_type_that_can_be_read_is_no_matter(db: None, content_type: str) -> None:
    assert ask("/admin/login/", CONTENT_TYPE=content_type).status == 200


def test_a_host_that_is_none_of_ours(db: None) -> None:
    check_page(ask("/", HTTP_HOST="evil.example"), 400, "This request can't be read")


def test_an_unexpected_error_is_a_page_logged_once_and_reported_once(
    owner: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, reports: list[Any]
) -> None:
    monkeypatch.setattr(queries, "bots", fails)
    answer = ask("/", HTTP_COOKIE=owner)

    check_page(answer, 500, "Something went wrong")
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.exc_info
    text = JsonLines().format(record)
    assert "RuntimeError: [text withheld]" in text
    assert [event["exception"]["values"][0]["type"] for event in reports] == ["RuntimeError"]
    assert CANARY not in text + json.dumps(reports) + answer.text


@pytest.mark.parametrize("path", ["/admin/", "/admin/users/user/", "/"])
def test_a_database_that_is_away_is_a_page_that_says_so(owner: str, path: str, reports: list[Any]) -> None:
    with connection.execute_wrapper(away):
        answer = ask(path, HTTP_COOKIE=owner)

    check_page(answer, 503, "Not available right now")
    assert answer.headers["retry-after"] == "5"
    assert "db.internal" not in answer.text
    assert len(reports) == 1


def test_signing_in_while_the_database_is_away(db: None) -> None:
    with connection.execute_wrapper(away):
        answer = ask("/admin/login/", "POST", b"username=%2B4915112345678&password=x", **GENUINE)

    check_page(answer, 503, "Not available right now")


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Seite nicht gefunden"),
        ("es-MX", "es", "Página no encontrada"),
        ("fr", "en", "Page not found"),
        ("\x00;;q=", "en", "Page not found"),
    ],
)
def test_a_page_follows_the_readers_browser(db: None, accepted: str, language: str, title: str) -> None:
    answer = ask("/nowhere/", HTTP_ACCEPT_LANGUAGE=accepted)

    check_page(answer, 404, title)
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text


def test_a_page_may_not_load_or_run_anything(db: None) -> None:
    policy = ask("/nowhere/").headers["content-security-policy"]

    assert "default-src 'none'" in policy and "script-src" not in policy


def test_an_answer_that_is_fine_has_the_id_too(db: None) -> None:
    for path in ("/healthz", "/admin/login/"):
        answer = ask(path)
        assert answer.status == 200 and len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "a b", "[::1", "x" * 300])
@pytest.mark.parametrize("path", ["/admin/", "/nothing", "/admin/login/"])
def test_a_wrong_host_is_400_and_one_line_without_a_traceback(
    db: None, caplog: pytest.LogCaptureFixture, host: str, path: str
) -> None:
    answer = ask(path, HTTP_HOST=host)
    assert answer.status == 400
    (line,) = lines(caplog)
    assert line["event"] == "request_suspicious_disallowedhost"
    assert "Traceback" not in json.dumps(line)
    assert host not in json.dumps(line)
