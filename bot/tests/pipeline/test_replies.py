"""From a delivery to what is sent: an answer goes out in the channel's marks, and is remembered as it was written."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from bot.channels.registry import get_channel
from bot.models import OutboundMessage
from bot.queue.snapshot import forget
from bot.tests.queue.test_address_changes import deliver
from bot.tests.support.factories import WhatsAppBotFactory, whatsapp_message, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from conversations.models import Message

pytestmark = pytest.mark.usefixtures("turns_db")

ANSWER = "## Prices\n\n**Cake:** 3 € and ***fresh***\n* see [our list](https://example.org/price_list)"
SENT = "*Prices*\n\n*Cake:* 3 € and _*fresh*_\n- see our list (https://example.org/price_list)"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[list[str]]:
    """What a bot on WhatsApp sends to Alice, who may write to it."""
    settings.REDIS_URL = None
    texts: list[str] = []

    async def send(self: Any, client: Any, account: Any, message: Any) -> str:
        texts.append(message.text)
        return f"wamid.sent.{message.id}"

    async def show_typing(*_: Any) -> None:
        return None

    for one in (send, show_typing):
        monkeypatch.setattr(type(get_channel("whatsapp")), one.__name__, one)
    forget()
    WhatsAppBotFactory.create(slug="shop")
    whitelisted()
    yield texts
    forget()


def write(client: Client, text: str, model: ScriptedModel) -> None:
    deliver(client, whatsapp_message(text, id=f"wamid.{text}"))
    work_until(model=model)


def test_an_answer_is_sent_in_whatsapps_marks_and_remembered_as_it_was(client: Client, sent: list[str]) -> None:
    model = ScriptedModel()
    model.enqueue(ANSWER, "Plain.")
    write(client, "How much?", model)
    assert sent == [SENT]
    assert OutboundMessage.objects.get().text == SENT
    assert Message.objects.order_by("id").last().content == ANSWER  # type: ignore[union-attr]
    write(client, "Thanks", model)
    assert [message.content for message in model.history[-1].messages][-3:] == ["How much?", ANSWER, "Thanks"]
    assert sent == [SENT, "Plain."]


def test_a_long_code_block_is_whole_in_each_message(client: Client, sent: list[str]) -> None:
    lines = [f"value_{number} = read(*{number}*)" for number in range(300)]
    model = ScriptedModel()
    model.enqueue("\n".join(["**Here:**", "```py", *lines, "```", "That is *all*."]))
    write(client, "Code, please", model)
    assert len(sent) == 2 and all(len(text) <= 4096 and text.count("```") == 2 for text in sent)
    assert sent[0].startswith("*Here:*\n```py\n") and sent[1].startswith("```py\n")
    assert sent[1].endswith("\n```\nThat is _all_.")
    assert [line for text in sent for line in text.split("\n") if line.startswith("value_")] == lines


def test_what_is_not_a_models_is_sent_as_it_is(
    client: Client, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.pipeline.runner.AppError.sentence", "Not **now** `a_b`.", raising=False)
    model = ScriptedModel()
    model.enqueue(ANSWER)
    deliver(client, whatsapp_message("", id="wamid.sticker", type="sticker", sticker={"id": "1"}))
    work_until(model=model)
    assert sent == ["Not **now** `a_b`."]


def test_a_renderer_that_fails_costs_the_marks_and_not_the_answer(
    client: Client, sent: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr("bot.pipeline.replies.render", fail)
    model = ScriptedModel()
    model.enqueue(ANSWER)
    write(client, "How much?", model)
    assert sent == [ANSWER] and len(model.history) == 1
    assert "reply_not_rendered" in caplog.messages
    assert states() == [("done", "")]


def test_an_answer_that_renders_to_nothing_is_sent_as_it_is(client: Client, sent: list[str]) -> None:
    model = ScriptedModel()
    model.enqueue("#")
    write(client, "A mark?", model)
    assert sent == ["#"]


def test_the_console_shows_what_the_model_wrote(ask: Any, alice: Any, model: ScriptedModel) -> None:
    model.enqueue(ANSWER)
    assert ask("How much?") == ANSWER


def test_a_reply_that_takes_the_place_of_a_rendered_one_is_sent(
    bot: Any, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.pipeline.turn import Turn
    from bot.queue.turn_message import TurnMessage

    turn = Turn(bot, "+4915100000000", lease=None, messages=[TurnMessage(1, "m1", "text", "Hi")])  # type: ignore[arg-type]
    turn.end("**a**", rendered=["*a*"])
    turn.end("Sorry.")
    assert not turn.result.rendered
