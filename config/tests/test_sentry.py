"""What reaches Sentry, observed at the SDK's own transport."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sentry_sdk
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from django.urls import path
from sentry_sdk.transport import Transport

from config.sentry import init_sentry, scrub

NUMBER = "+12025550100"
KEY = "sk-canary-0123456789"
TEXT = "canary-words-somebody-wrote"

captured: list[str] = []


class CapturingTransport(Transport):
    """Keep each envelope as the text that would go over the wire."""

    def capture_envelope(self, envelope) -> None:
        captured.append(envelope.serialize().decode())


@pytest.fixture
def reports() -> Iterator[list[str]]:
    captured.clear()
    init_sentry("https://public@sentry.invalid/1", "production", "1.2.3", transport=CapturingTransport)
    yield captured
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    sentry_sdk.get_isolation_scope().clear()
    sentry_sdk.get_isolation_scope().clear_breadcrumbs()


def sent(reports: list[str]) -> str:
    sentry_sdk.flush()
    assert reports, "nothing was reported"
    return "\n".join(reports)


def assert_clean(report: str) -> None:
    assert "2025550100" not in report
    assert "sk-canary" not in report
    assert TEXT not in report


def fail(text: str = TEXT) -> None:
    number, key, person = NUMBER, KEY, {"address": NUMBER, "words": text}
    raise ValueError(f"{number} {key} {len(person)}")


def test_an_exception_is_reported_without_its_local_variables_or_the_secrets_of_its_message(reports):
    try:
        fail()
    except ValueError:
        sentry_sdk.capture_exception()
    report = sent(reports)
    assert "ValueError" in report
    assert '"release":"1.2.3"' in report
    assert '"environment":"production"' in report
    assert_clean(report)
    (event,) = (json.loads(line) for line in report.splitlines() if '"exception"' in line)
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    assert all("vars" not in frame and "context_line" not in frame for frame in frames)


def test_a_logged_error_is_reported_without_its_extras_parameters_and_breadcrumbs(reports):
    logger = logging.getLogger("bot.worker")
    logger.warning("earlier %s", NUMBER, extra={"text": TEXT, "token": KEY})
    sentry_sdk.add_breadcrumb(message=f"to {NUMBER}", data={"body": TEXT, "url": f"https://x/?k={KEY}"})
    try:
        fail()
    except ValueError:
        logger.exception("turn_failed %s", NUMBER, extra={"text": TEXT, "turn": {"content": TEXT, "address": NUMBER}})
    report = sent(reports)
    assert "turn_failed" in report
    assert_clean(report)


def boom(request):
    fail(request.body.decode())


urlpatterns = [path("boom/", boom)]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_failing_request_is_reported_without_body_query_headers_and_cookies(reports, settings, content_type):
    settings.MIDDLEWARE = []
    body = json.dumps({"text": TEXT, "from": NUMBER}) if content_type.endswith("json") else f"Body={TEXT}&From={NUMBER}"
    request = RequestFactory().post(
        f"/boom/?hub.verify_token={KEY}&number=%2B12025550100", body, content_type=content_type
    )
    environ = {**request.environ, "HTTP_AUTHORIZATION": f"Bearer {KEY}", "HTTP_COOKIE": f"sessionid={TEXT}"}
    environ |= {"HTTP_X_CANARY": TEXT, "REMOTE_ADDR": "203.0.113.77", "wsgi.input": request.environ["wsgi.input"]}
    b"".join(WSGIHandler()(environ, lambda status, headers, error=None: lambda data: None))
    report = sent(reports)
    assert "ValueError" in report
    assert_clean(report)
    assert "203.0.113.77" not in report


def test_a_transaction_is_scrubbed_like_an_event(reports):
    assert scrub({"spans": [{"description": f"to {NUMBER}", "data": {"text": TEXT}}]}, {}) == {
        "spans": [{"description": "to [phone]", "data": {"text": "[redacted]"}}]
    }


def test_failures_of_the_scheduler_library_are_not_reported_as_text(reports):
    logging.getLogger("django-q").error("Failed 'task' - %s", TEXT)
    sentry_sdk.flush()
    assert reports == []


def test_reporting_does_not_import_the_model_library():
    program = (
        "import sys; from config.sentry import init_sentry;"
        "init_sentry('https://public@sentry.invalid/1', 'production'); sys.exit('openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
