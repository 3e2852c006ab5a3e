"""Chats on the simulator's page."""

import json

from bot.models import InboundMessage, OutboundMessage
from conversations.models import Conversation, Message
from conversations.tests.factories import add_messages
from usage.models import UsageRecord

ALICE_NUMBER = "+12025550101"
SEND = "/simulator/send/"
UPDATES = "/simulator/updates/"


def send(client, person=ALICE_NUMBER, text="Hello", bot="demo", **extra):
    fields = {"bot": bot, "person": person, "text": text}
    return client.post(SEND, json.dumps(fields), content_type="application/json", **extra)


def news(client, person=ALICE_NUMBER, bot="demo", **query):
    response = client.get(UPDATES, {"bot": bot, "person": person, **query})
    assert response.status_code == 200, response.content
    return response.json()


def answer(
    bot, user, text="Hello, Alice", *, asked="Hello", cost=1_234, address=None, parts=1, status="sent", remember=True
):
    """Do what a worker does with everything that is pending in a chat: one reply, stored with its usage and memory."""
    address = address or user.phone_number
    rows = InboundMessage.objects.filter(bot=bot, address=address, state="pending")
    key = rows.order_by("id")[0].pk
    if cost is not None:
        UsageRecord.objects.create(
            user=user, bot=bot.slug, model="gpt", model_answered="gpt-2026", input_tokens=1_200, output_tokens=34,
            cost_micros=cost, turn_key=key,
        )  # fmt: skip
    for part in range(parts):
        OutboundMessage.objects.create(
            bot=bot, address=address, turn_key=key, part=part, text=text if parts == 1 else f"{text} {part}",
            status=status, external_id=f"console-{key}-{part}" if status == "sent" else "",
        )  # fmt: skip
    if user and remember:
        conversation = Conversation.objects.find_or_create(user, bot.slug)
        add_messages(conversation, [("user", asked), ("assistant", text)])
        newest = Message.objects.filter(conversation=conversation).order_by("-pk")[:2]
        Message.objects.filter(pk__in=[one.pk for one in newest]).update(turn_key=key)
    rows.update(state="done", payload={}, turn_key=key)
    return key
