"""The line of a request has the id that was answered."""

import json
import logging
from typing import Any

import pytest

from bot.channels.registry import CHANNELS
from bot.tests.support.factories import BotFactory
from bot.tests.support.wsgi import ask
from bot.tests.web.failing import Broken
from config.logs.lines import JsonLines

FORM = "application/x-www-form-urlencoded"
TOKEN = "a" * 32


# What a page's own form has, so that it is not refused for its lack.
GENUINE: dict[str, Any] = {"HTTP_COOKIE": f"csrftoken={TOKEN}", "HTTP_X_CSRFTOKEN": TOKEN, "CONTENT_TYPE": FORM}


@pytest.fixture
def webhook(db: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a webhook whose channel has a bug."""
    monkeypatch.setitem(CHANNELS, "console", Broken())
    return f"/webhooks/console/{BotFactory.active().slug}/"


def test_the_line_of_a_failed_request_has_the_id_that_was_answered(
    webhook: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(json.loads(JsonLines().format(record)))

    watch = Watch()
    logging.getLogger().addHandler(watch)
    try:
        answers = [ask(webhook, "POST", b"{}"), ask("/webhooks/console/nobody/"), ask("/nowhere/")]
        answers += [ask("/", "PUT", **GENUINE), ask("/", CONTENT_TYPE="text/plain; charset=hex")]
    finally:
        logging.getLogger().removeHandler(watch)

    assert [answer.status for answer in answers] == [500, 403, 404, 405, 400]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 5
    assert [line["request_id"] for line in seen if line["event"] == "request_answered"] == ids
    assert [line["request_id"] for line in seen if line["level"] != "INFO"] == ids[:2], "pages log a 5xx only"
