"""What machines are answered: JSON with a code, whatever the code."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.conf import settings as configured
from django.db import connection
from sentry_sdk.transport import Transport

from bot.errors import STATUS_CODES, AppError, ErrorCode
from bot.models import InboundMessage
from bot.queue.snapshot import find_bot
from bot.tests.support.factories import WhatsAppBotFactory, signature, whatsapp_body
from bot.tests.support.wsgi import ask
from bot.tests.web.failing import away, lines
from config.logs.sentry import init_sentry

pytestmark = pytest.mark.promise("errors", "through the WSGI application")


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


def test_each_refusal_of_a_webhook_is_json_with_its_code(db: None, caplog: pytest.LogCaptureFixture) -> None:
    slug = WhatsAppBotFactory.create().slug
    url = f"/webhooks/whatsapp/{slug}/"
    assert find_bot("whatsapp", slug)
    body = whatsapp_body({})
    large = b" " * (configured.WEBHOOK_MAX_BYTES + 1)
    broken = b"{"
    fields = "&".join(f"f{number}=1" for number in range(1_001))
    refusals = {
        "another method": (ask(url, "PUT"), 405, "INVALID_INPUT"),
        "no such bot": (ask("/webhooks/whatsapp/nobody/", "POST", body), 403, "UNAUTHORIZED"),
        "no such URL": (ask("/webhooks/"), 404, "NOT_FOUND"),
        "a wrong signature": (ask(url, "POST", body, HTTP_X_HUB_SIGNATURE_256="sha256=0"), 403, "UNAUTHORIZED"),
        "too large": (ask(url, "POST", large), 413, "PAYLOAD_TOO_LARGE"),
        "broken": (ask(url, "POST", broken, HTTP_X_HUB_SIGNATURE_256=signature(broken)), 400, "INVALID_INPUT"),
        "too many fields": (ask(f"{url}?{fields}"), 400, "INVALID_INPUT"),
        "another method of health": (ask("/healthz", "POST"), 405, "INVALID_INPUT"),
    }
    for label, (answer, status, code) in refusals.items():
        said = json.loads(answer.text)
        assert (answer.status, said["status"], said["code"]) == (status, "error", code), label
        assert said["detail"] and set(said) == {"status", "code", "detail"}, label
        assert answer.headers["x-request-id"], label
    assert {line["event"] for line in lines(caplog)} <= {"request_refused", "Method Not Allowed (POST): /healthz"}
    assert refusals["another method of health"][0].headers["allow"] == "GET, HEAD"


def test_a_webhook_whose_database_is_away_is_told_to_deliver_again(
    db: None, caplog: pytest.LogCaptureFixture, reports: list[Any]
) -> None:
    slug = WhatsAppBotFactory.create().slug
    with connection.execute_wrapper(away):
        answer = ask(f"/webhooks/whatsapp/{slug}/", "POST", b"{}")

    assert (answer.status, json.loads(answer.text)["code"]) == (503, "DATABASE_ERROR")
    assert answer.headers["retry-after"] == "5"
    (line,) = lines(caplog)
    assert (line["event"], line["code"], line["error"]) == ("request_refused", "DATABASE_ERROR", "OperationalError")
    assert "bot" not in line, "nobody could look whether there is such a bot"
    assert len(reports) == 1
    assert "db.internal" not in answer.text + caplog.text
    assert not InboundMessage.objects.exists()


def test_every_code_has_a_status_and_a_raise_that_knows_better_says_so() -> None:
    assert set(STATUS_CODES) == set(ErrorCode)
    assert all(400 <= status <= 599 for status in STATUS_CODES.values())
    assert AppError(ErrorCode.PAYLOAD_TOO_LARGE).status_code == 413
    assert AppError(ErrorCode.INVALID_INPUT, status_code=405).status_code == 405
