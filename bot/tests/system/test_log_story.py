"""What the log and error reports tell of one message, from the webhook to the send."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.test import Client
from django_q.models import Task
from django_q.tasks import async_task

from bot.channels.events import StatusEvent
from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.models import InboundMessage, OutboundMessage
from bot.operations import schedules
from bot.queue import accept
from bot.queue.log_ids import chat_hash
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import (
    ALICE,
    BOB,
    WhatsAppBotFactory,
    event,
    signature,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
    whitelisted,
)
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.tests.support.log_lines import Lines, logged
from config.tests.logs.capturing import Reports, capturing_sentry
from users.models import User

pytestmark = pytest.mark.promise("log")


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logged() as read:
        yield read


@pytest.fixture
def reports() -> Iterator[Reports]:
    with capturing_sentry() as reports:
        yield reports


def events(lines: list[dict[str, Any]]) -> list[str]:
    return [line["event"] for line in lines if line["level"] != "DEBUG"]


def deliver(client: Client, body: bytes) -> int:
    headers = {"X-Hub-Signature-256": signature(body)}
    return client.post("/webhooks/whatsapp/shop/", body, content_type="application/json", headers=headers).status_code


WHOLE_STORY = [
    "message_received", "turn_started", "model_answered", "message_sent", "turn_finished",
]  # fmt: skip


@pytest.fixture
def whatsapp(turns_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    from bot.channels.whatsapp.adapter import WhatsAppChannel

    async def send(self: Any, client: Any, account: Any, message: Any) -> str:
        return f"wamid.out{message.id}"

    async def show_typing(self: Any, *args: Any) -> None:
        return None

    monkeypatch.setattr(WhatsAppChannel, "send", send)
    monkeypatch.setattr(WhatsAppChannel, "show_typing", show_typing)
    return WhatsAppBotFactory.create(slug="shop")


def test_a_message_can_be_followed_from_the_webhook_to_the_send(
    client: Client, whatsapp: Any, alice: User, lines: Lines
) -> None:
    assert deliver(client, whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))) == 200
    work_until()
    (message,) = InboundMessage.objects.all()

    assert events(lines(request_id=message.request_id)) == WHOLE_STORY
    assert events(lines(turn_id=message.pk)) == WHOLE_STORY[1:]
    chat = chat_hash("shop", ALICE)
    assert events(lines(chat=chat)) == ["message_received", *WHOLE_STORY[1:]]
    assert events(lines(person=alice.pk, turn_id=message.pk)) == WHOLE_STORY[1:]
    (received,), (started,) = lines(event="message_received"), lines(event="turn_started")
    assert (received["message_id"], received["bot"]) == (message.pk, "shop")
    assert (started["message_ids"], started["attempt"]) == ([message.pk], 1)
    (answered,) = lines(event="model_answered")
    assert (answered["model"], answered["input_tokens"], answered["output_tokens"]) == (
        "gpt-6-luna-2026-01-01",
        100,
        20,
    )
    (finished,) = lines(event="turn_finished")
    assert (finished["outcome"], finished["stage"]) == ("done", "completion")
    assert 0 < finished["seconds"] < 15
    assert ALICE[1:] not in json.dumps(lines())


def test_a_redelivery_is_seen_as_one_and_begins_no_turn(
    client: Client, whatsapp: Any, alice: User, lines: Lines
) -> None:
    body = whatsapp_body(
        whatsapp_value(messages=[whatsapp_message(), whatsapp_message(), whatsapp_message(id="wamid.2")])
    )
    for _ in range(2):
        assert deliver(client, body) == 200
    kinds = [line["event"] for line in lines(chat=chat_hash("shop", ALICE))]
    assert kinds == ["message_received", "message_redelivered", "message_received", *["message_redelivered"] * 3]
    ids = [line["message_id"] for line in lines(event="message_received")]
    assert sorted(ids) == sorted(InboundMessage.objects.values_list("pk", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status", "route", "level"),
    [
        ("/healthz", 200, "healthz", "DEBUG"),
        ("/webhooks/whatsapp/491701234567/?x=491701234567", 403, "webhooks/<slug:channel>/<slug:bot>/", "INFO"),
        ("/webhooks/491701234567", 404, "unknown", "INFO"),
        ("/491701234567/", 404, "unknown", "INFO"),
        ("/static/491701234567.css", 404, "static", "DEBUG"),
        ("/admin/users/user/491701234567/change/", 302, "admin/users/user/<path:object_id>/change/", "INFO"),
    ],
)
def test_a_request_is_one_line_with_its_route_and_never_its_path(
    client: Client, lines: Lines, path: str, status: int, route: str, level: str
) -> None:
    assert client.get(path).status_code == status
    (line,) = lines(event="request_answered")
    assert (line["method"], line["route"], line["status"], line["level"]) == ("GET", route, status, level)
    assert line["ms"] > 0
    assert len(line["request_id"]) == 32
    assert "491701234567" not in json.dumps(lines())


def test_a_delivery_that_was_stored_has_one_line_and_a_refused_one_says_how_it_was_answered(
    client: Client, whatsapp: Any, lines: Lines
) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))
    assert deliver(client, body) == 200
    assert events(lines(logger="bot.web.access_log")) == []
    headers = {"X-Hub-Signature-256": "sha256=00"}
    client.post("/webhooks/whatsapp/shop/", body, content_type="application/json", headers=headers)
    assert [line["status"] for line in lines(event="request_answered", level="INFO")] == [403]


def test_a_method_nobody_knows_is_not_quoted(client: Client, lines: Lines) -> None:
    client.generic("CANARY", "/healthz")
    assert lines(event="request_answered")[0]["method"] == "OTHER"


def test_a_request_that_fails_has_its_id_on_both_lines(
    client: Client, whatsapp: Any, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(accept, "store", fail)
    client.raise_request_exception = False
    assert deliver(client, whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))) == 500
    (failed,), (answered,) = lines(event="request_crashed"), lines(event="request_answered")
    assert failed["request_id"] == answered["request_id"]
    assert answered["status"] == 500
    assert "RuntimeError: [text withheld]" in failed["exc_info"]


def test_a_failed_turn_says_which_stage_failed_with_our_code_and_the_providers(
    alice: User, bot: ActiveBot, lines: Lines
) -> None:
    model = ScriptedModel()
    context = {"status": 401, "code": "invalid_api_key", "provider_request_id": "req_1"}
    model.enqueue(AppError(ErrorCode.CONFIGURATION_ERROR, "refused", context=context))
    accept.accept(bot, [event()])
    work_until(model=model)
    (failed,), (finished,) = lines(event="turn_failed"), lines(event="turn_finished")
    assert (failed["code"], failed["provider_code"], failed["stage"]) == (
        "CONFIGURATION_ERROR", "invalid_api_key", "completion",
    )  # fmt: skip
    assert failed["provider_request_id"] == "req_1"
    assert (finished["outcome"], finished["error_code"]) == ("done", "CONFIGURATION_ERROR")


def test_a_send_that_is_tried_again_says_when(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, lines: Lines
) -> None:
    channel.enqueue(SendError("131056", retryable=True, retry_after=0.1))
    accept.accept(bot, [event()])
    work_until()
    first, second = lines(event="turn_finished")
    assert (first["outcome"], first["again_in_seconds"], first["error_code"]) == ("retry", 0.1, "131056")
    assert second["outcome"] == "done"
    assert [line["attempt"] for line in lines(event="turn_started")] == [1, 2]


def test_statuses_are_told_at_debug_and_failures_as_warnings(alice: User, bot: ActiveBot, lines: Lines) -> None:
    accept.accept(bot, [event()])
    work_until()
    sent = OutboundMessage.objects.get()
    accept.accept(bot, [StatusEvent(external_id=sent.external_id, status="delivered", outbound_id=sent.pk)])
    OutboundMessage.objects.update(status="sent")
    accept.accept(
        bot, [StatusEvent(external_id=sent.external_id, status="failed", outbound_id=sent.pk, error_code="131026")]
    )
    delivered, failed = lines(event="delivery_status")
    assert (delivered["level"], delivered["status"], delivered["turn_id"]) == ("DEBUG", "delivered", sent.turn_key)
    assert (failed["level"], failed["status"], failed["error_code"]) == ("WARNING", "failed", "131026")


def test_a_chat_is_another_with_another_bot_and_another_key(settings: Any) -> None:
    here = chat_hash("shop", ALICE)
    assert chat_hash("desk", ALICE) != here
    settings.SECRET_KEY = "another"
    assert chat_hash("shop", ALICE) != here


def test_reports_of_turns_at_once_do_not_mix_and_each_failure_is_one(
    alice: User, bot: ActiveBot, reports: Reports
) -> None:
    whitelisted(BOB)
    model = ScriptedModel()
    waiting: list[str] = []

    async def after_the_other(request: Any) -> str:
        waiting.append(request.messages[-1].content)
        while len(waiting) < 2:
            await asyncio.sleep(0.01)
        logging.getLogger("bot.test").info("of_%s", request.messages[-1].content)
        await asyncio.sleep(0.05)
        raise AppError(ErrorCode.OPENAI_API_ERROR, "down")

    model.answer("alice", after_the_other)
    model.answer("bob", after_the_other)
    accept.accept(bot, [event("1", text="alice"), event("2", text="bob", address=BOB)])
    work_until(model=model)

    found = reports.events()
    assert len(found) == 2
    for report in found:
        turn, crumbs = report["tags"]["turn_id"], report["breadcrumbs"]["values"]
        assert report["fingerprint"] == ["OPENAI_API_ERROR", "turn_failed"]
        assert {str(crumb["data"]["turn_id"]) for crumb in crumbs} == {turn}
        assert len([crumb for crumb in crumbs if crumb["message"].startswith("of_")]) == 1


def test_a_crashed_turn_is_one_report_and_an_expected_error_is_none(
    alice: User, bot: ActiveBot, reports: Reports, settings: Any
) -> None:
    settings.REDIS_URL, settings.RATE_LIMIT_PER_USER = None, 1
    model = ScriptedModel()
    model.enqueue(RuntimeError("canary"))
    accept.accept(bot, [event("1", text="/whoami")])
    work_until(model=model)
    accept.accept(bot, [event("2", kind="image", text="")])
    work_until(model=model)
    assert reports.events() == []
    settings.RATE_LIMIT_PER_USER = 10
    accept.accept(bot, [event("3")])
    work_until(model=model)
    (report,) = reports.events()
    assert report["tags"]["code"] == "INTERNAL_ERROR"
    assert "canary" not in reports.text()


def test_a_failed_task_is_reported_and_logged_and_keeps_nothing_of_what_it_says(
    turns_db: None, reports: Reports, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**options: Any) -> None:
        raise ValueError(f"row of {ALICE}: canary")

    monkeypatch.setattr(schedules, "purge_expired", fail)
    with pytest.raises(schedules.TaskFailed):
        async_task("bot.operations.schedules.purge", sync=True)
    (line,) = lines(event="task_failed")
    assert line["task"] == "purge"
    assert "ValueError: [text withheld]" in line["exc_info"]
    assert [report["tags"]["task"] for report in reports.events()] == ["purge"]
    assert sentry_sdk.is_initialized()
    for task in Task.objects.all():
        assert "canary" not in str(task.result)
