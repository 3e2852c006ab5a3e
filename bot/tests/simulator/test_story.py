"""“What happened” in the simulator: how a reply came about, for whom the page is for, in words and drawn to scale."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.models import InboundMessage, Lease, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.simulator.queries import UNKNOWN_NUMBER, read_news
from bot.tests.support.factories import ALICE, BotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from usage.models import UsageRecord
from users.models import User
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(UserFactory.create(role="admin", is_whitelisted=False))
    return client


@pytest.fixture
def reply(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> OutboundMessage:
    """A reply that a worker sent."""
    model.enqueue("Hello dear Alice")
    accept.accept(bot, [event(text="a secret question", sent_at=timezone.now() - timedelta(seconds=2))])
    work_until(model=model)
    return OutboundMessage.objects.get()


def url(id: int) -> str:
    return reverse("simulator:story", args=[id])


def told(client: Client, reply: OutboundMessage) -> dict[str, Any]:
    response = client.get(url(reply.pk))
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def test_a_reply_tells_its_steps_in_words_and_neither_text_nor_number(staff: Client, reply: OutboundMessage) -> None:
    body = told(staff, reply)
    assert [step["what"] for step in body["steps"]] == [
        "Received", "Waited", "Claimed", "Notice", "Access", "Rate limit", "Reply window", "Commands", "Budget",
        "Model", "Stored", "Sending", "Sent",
    ]  # fmt: skip
    (model,) = [step for step in body["steps"] if step["what"] == "Model"]
    assert model["detail"] == "gpt-6-luna-2026-01-01 · 100 + 20 tokens · $0.00"
    assert model["took"]
    assert body["summary"].startswith("Sent ")
    assert not any(secret in json.dumps(body) for secret in ("secret question", "dear", ALICE, ALICE[1:]))
    assert "no-store" in staff.get(url(reply.pk))["Cache-Control"]


def test_the_page_is_told_of_which_replies_there_is_a_story(
    alice: User, bot: ActiveBot, reply: OutboundMessage
) -> None:
    OutboundMessage.objects.create(
        bot_id=bot.id, address=ALICE, turn_key=reply.turn_key, part=2, text="more", status="sent"
    )
    messages = read_news(bot.id, bot.slug, ALICE, alice, 0).messages
    assert [(one.mine, one.has_story) for one in messages] == [(False, False), (False, True)], "under the last part"
    OutboundMessage.objects.update(text="")
    remembered = read_news(bot.id, bot.slug, ALICE, alice, None).messages
    assert [one.has_story for one in remembered] == [False, False], "nothing leads from memory to a turn"


def test_the_polite_reply_to_a_stranger_has_a_story_while_its_message_is_known(
    staff: Client, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event(address=UNKNOWN_NUMBER)])
    work_until(model=model)
    reply = OutboundMessage.objects.get()
    (bubble,) = read_news(bot.id, bot.slug, UNKNOWN_NUMBER, None, 0).messages
    assert bubble.has_story
    body = told(staff, reply)
    assert [step["what"] for step in body["steps"]][-4:] == ["Stored", "Sending", "Sent", "Ended"]
    assert body["steps"][-1]["detail"] == "UNAUTHORIZED"
    assert UNKNOWN_NUMBER[1:] not in json.dumps(body)
    InboundMessage.objects.all().delete()
    assert staff.get(url(reply.pk)).status_code == 404


def test_a_reply_whose_message_is_gone_says_so_kindly(staff: Client, reply: OutboundMessage) -> None:
    InboundMessage.objects.all().delete()
    response = staff.get(url(reply.pk))
    assert response.status_code == 404
    assert response.json() == {"error": "How this reply came about is not known any more."}


def test_replies_of_other_channels_and_ids_of_nothing_have_no_story(staff: Client, reply: OutboundMessage) -> None:
    for id in (0, reply.pk + 1, 2**63 - 1, 2**63, 10**30):
        assert staff.get(url(id)).status_code == 404, id
    whatsapp = BotFactory.create(slug="wa", channel="whatsapp")
    OutboundMessage.objects.update(bot=whatsapp)
    InboundMessage.objects.update(bot=whatsapp)
    assert staff.get(url(reply.pk)).status_code == 404


def test_stories_are_for_whom_the_page_is_for(
    client: Client, alice: User, reply: OutboundMessage, settings: Any
) -> None:
    assert client.get(url(reply.pk)).status_code == 403
    client.force_login(alice)
    assert client.get(url(reply.pk)).status_code == 403
    settings.DEBUG = True
    client.defaults["HTTP_HOST"] = "localhost:3000"
    assert client.get(url(reply.pk)).status_code == 200
    assert client.post(url(reply.pk)).status_code == 405


def test_the_number_of_queries_is_that_of_one_turn(
    staff: Client, bot: ActiveBot, reply: OutboundMessage, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    login = 2  # session and user
    # whose chat it is (three), the first message with its bot (by the outbox row), parts, calls
    with django_assert_num_queries(login + 6):
        told(staff, reply)
    for part in range(2, 12):
        OutboundMessage.objects.create(bot_id=bot.id, address=ALICE, turn_key=reply.turn_key, part=part)
        UsageRecord.objects.create(model="m", input_tokens=1, output_tokens=1, cost_micros=1, turn_key=reply.turn_key)
    with django_assert_num_queries(login + 6):
        assert len(told(staff, reply)["steps"]) > 30
    # and the lease, while it is being answered
    InboundMessage.objects.update(state="pending")
    Lease.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    with django_assert_num_queries(login + 7):
        told(staff, reply)


def test_a_send_that_failed_is_told_with_its_code(
    staff: Client, alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue(SendError("131026"))
    accept.accept(bot, [event()])
    work_until(model=model)
    body = told(staff, OutboundMessage.objects.get())
    last = body["steps"][-1]
    assert (last["what"], last["problem"], last["detail"]) == ("Failed", True, "CHANNEL_ERROR:131026")
    assert last["took"]
    assert body["summary"] == "Not sent yet."


def test_an_answer_that_could_not_be_had_says_why_and_is_not_taken_for_one_that_was_paid_for_before(
    staff: Client, alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    model.enqueue(AppError(ErrorCode.OPENAI_API_ERROR, "down"))
    accept.accept(bot, [event()])
    work_until(model=model)
    message = InboundMessage.objects.get()
    UsageRecord.objects.create(
        model="m", input_tokens=1, output_tokens=1, cost_micros=1, turn_key=message.pk, created_at=message.received_at
    )
    steps = told(staff, OutboundMessage.objects.get())["steps"]
    details = {step["what"]: (step["detail"], step["problem"]) for step in steps}
    assert details["Model, another try"] == ("m · 1 + 1 tokens · $0.000001", False)
    assert details["Model"] == ("", False)
    assert details["Ended"] == ("OPENAI_API_ERROR", True)


def test_the_page_has_a_button_and_leaves_the_content_security_policy_as_it_was(staff: Client, bot: ActiveBot) -> None:
    response = staff.get("/")
    page = response.content.decode()
    assert f'data-story-url="{url(0)}"' in page
    assert '<button type="button" class="ask" aria-expanded="false">What happened</button>' in page
    assert "style=" not in page
    assert "unsafe" not in response["Content-Security-Policy"]
    script = Path(finders.find("simulator/story.js") or "").read_text()
    assert "innerHTML" not in script
    assert 'setAttribute("style"' not in script
