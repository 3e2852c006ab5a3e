"""What reaches Sentry, observed at the SDK's own transport."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sentry_sdk
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory
from django.urls import path

from config.logs.lines import bind
from config.logs.sampling import FIRST
from config.logs.sentry import flush, own_scope, scrub
from config.tests.logs.capturing import Reports, capturing_sentry

NUMBER = "+12025550100"
KEY = "sk-canary-0123456789"
TEXT = "canary-words-somebody-wrote"

logger = logging.getLogger("bot.worker.worker")


@pytest.fixture
def reports() -> Iterator[Reports]:
    with capturing_sentry() as reports:
        yield reports


def assert_clean(report: str) -> None:
    assert "2025550100" not in report
    assert "sk-canary" not in report
    assert TEXT not in report


def fail(text: str = TEXT) -> None:
    number, key, person = NUMBER, KEY, {"address": NUMBER, "words": text}
    raise ValueError(f"{number} {key} {len(person)} {text}")


def test_an_exception_is_reported_without_its_local_variables_and_what_it_says(reports):
    try:
        fail()
    except ValueError:
        sentry_sdk.capture_exception()
    (event,) = reports.events()
    assert (event["release"], event["environment"]) == ("1.2.3", "production")
    (value,) = event["exception"]["values"]
    assert (value["type"], value["value"]) == ("ValueError", "[text withheld]")
    frames = value["stacktrace"]["frames"]
    assert [frame["function"] for frame in frames][-1] == "fail"
    assert all("vars" not in frame and "context_line" not in frame for frame in frames)
    assert_clean(reports.text())


def test_a_logged_error_is_reported_without_its_extras_parameters_and_breadcrumbs(reports):
    logger.warning("earlier %s", NUMBER, extra={"text": TEXT, "token": KEY})
    logging.getLogger("some.library").warning("asked for 12025550100\n%s", TEXT)
    sentry_sdk.add_breadcrumb(message=f"to {NUMBER}", data={"body": TEXT, "url": f"https://x/?k={KEY}"})
    try:
        fail()
    except ValueError:
        logger.exception("turn_failed %s", NUMBER, extra={"text": TEXT, "turn": {"content": TEXT, "address": NUMBER}})
    (event,) = reports.events()
    assert event["logentry"]["message"] == "turn_failed [phone]"
    messages = [crumb["message"] for crumb in event["breadcrumbs"]["values"]]
    assert messages == ["earlier [phone]", "asked for [digits]"]
    assert_clean(reports.text())


def test_reports_are_grouped_by_code_and_name_the_message(reports):
    with bind(turn_id=17, bot="shop", request_id="abc", chat="0123456789ab"):
        logger.error("turn_failed", extra={"code": "OPENAI_API_ERROR", "detail": "no answer"})
    (event,) = reports.events()
    assert event["fingerprint"] == ["OPENAI_API_ERROR", "turn_failed"]
    tags = {"code": "OPENAI_API_ERROR", "turn_id": "17", "bot": "shop", "request_id": "abc", "chat": "0123456789ab"}
    assert event["tags"] == tags


def test_a_crash_is_grouped_by_where_it_happened_too(reports):
    try:
        fail()
    except ValueError:
        logger.exception("turn_crashed")
    (event,) = reports.events()
    assert event["fingerprint"] == ["INTERNAL_ERROR", "{{ default }}"]


def test_a_failure_that_is_logged_and_raised_on_is_one_report(reports):
    try:
        try:
            fail()
        except ValueError:
            logger.exception("task_failed")
            raise
    except ValueError:
        sentry_sdk.capture_exception()
    assert len(reports.events()) == 1


def test_a_fault_of_every_turn_does_not_use_up_the_quota(reports):
    for _ in range(100):
        logger.error("turn_failed", extra={"code": "OPENAI_API_ERROR"})
    logger.error("turn_failed", extra={"code": "CONFIGURATION_ERROR"})
    assert len(reports.events()) == FIRST + 1


def test_what_is_expected_and_mere_warnings_are_not_reported(reports):
    logger.info("turn_failed", extra={"code": "RATE_LIMIT_EXCEEDED"})
    logger.warning("send_refused", extra={"error_code": "131026"})
    assert reports.events() == []


def test_breadcrumbs_and_tags_stay_in_their_own_scope(reports):
    with own_scope():
        logger.info("of_the_first")
    with own_scope():
        logger.error("of_the_second")
    (event,) = reports.events()
    assert "breadcrumbs" not in event or event["breadcrumbs"]["values"] == []


def test_without_sentry_a_scope_and_a_flush_are_nothing():
    with own_scope():
        flush()


def boom(request, number):
    fail(request.body.decode())


urlpatterns = [path("boom/<str:number>/", boom)]


@pytest.fixture
def no_database() -> Iterator[None]:
    """Let requests begin and end without looking at connections that tests before this one have left."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.urls(__name__)
@pytest.mark.usefixtures("no_database")
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_failing_request_is_reported_without_path_body_query_headers_and_cookies(reports, settings, content_type):
    settings.MIDDLEWARE = ["bot.web.middleware.webhooks_first"]
    body = json.dumps({"text": TEXT, "from": NUMBER}) if content_type.endswith("json") else f"Body={TEXT}&From={NUMBER}"
    request = RequestFactory().post(
        f"/boom/12025550100/?hub.verify_token={KEY}&number=%2B12025550100", body, content_type=content_type
    )
    environ = {**request.environ, "HTTP_AUTHORIZATION": f"Bearer {KEY}", "HTTP_COOKIE": f"sessionid={TEXT}"}
    environ |= {"HTTP_X_CANARY": TEXT, "REMOTE_ADDR": "203.0.113.77", "wsgi.input": request.environ["wsgi.input"]}
    b"".join(WSGIHandler()(environ, lambda status, headers, error=None: lambda data: None))
    (event,) = reports.events()
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert event["request"] == {"method": "POST"}
    assert len(event["tags"]["request_id"]) == 32
    assert_clean(reports.text())
    assert "203.0.113.77" not in reports.text()


def test_a_transaction_is_scrubbed_like_an_event(reports):
    assert scrub({"spans": [{"description": f"to {NUMBER}", "data": {"text": TEXT}}]}, {}) == {
        "spans": [{"description": "to [phone]", "data": {"text": "[redacted]"}}]
    }


def test_failures_of_the_scheduler_library_are_not_reported_as_text(reports):
    logging.getLogger("django-q").error("Failed 'task' - %s", TEXT)
    assert reports.events() == []


def test_reporting_does_not_import_the_model_library():
    program = (
        "import sys; from config.logs.sentry import init_sentry;"
        "init_sentry('https://public@sentry.invalid/1', 'production'); sys.exit('openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
