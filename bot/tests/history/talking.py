"""Conversations of which something is known, and how they are read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.history.transcript import Transcript, transcript_of
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.tests.support.factories import ALICE, InboundFactory
from conversations.models import Conversation, Message
from usage.models import UsageRecord
from users.models import User

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
State, Status = InboundMessage.State, OutboundMessage.Status


def conversation(person: User, bot: Bot) -> Conversation:
    expires = timezone.now() + timedelta(days=1)
    return Conversation.objects.create(user=person, bot=bot.slug, created_at=NOON, expires_at=expires)


def turn(
    talk: Conversation, number: int, *statuses: str, code: str = "", doubt: str = "", cost: int | None = 1_250
) -> OutboundMessage:
    """Store a turn as a worker leaves it: the message, its call, the parts of its reply, what is remembered."""
    bot = Bot.objects.get(slug=talk.bot)
    received = NOON + timedelta(minutes=number)
    stored = received + timedelta(seconds=3)
    first = InboundFactory.create(
        bot=bot, external_id=f"in-{number}", state=State.DONE, payload={}, received_at=received, error_code=code
    )
    InboundMessage.objects.filter(pk=first.pk).update(turn_key=first.pk)
    UsageRecord.objects.create(
        user=talk.user, bot=talk.bot, model="gpt-6-luna", model_answered="gpt-6-luna-2026", input_tokens=1_200,
        output_tokens=34, cost_micros=cost, turn_key=first.pk, created_at=stored - timedelta(milliseconds=5),
    )  # fmt: skip
    parts = [
        OutboundMessage.objects.create(
            bot=bot,
            address=ALICE,
            turn_key=first.pk,
            part=place,
            status=status,
            created_at=stored,
            error_code=code if status in OutboundMessage.PROBLEMS else "",
            doubt=doubt if status in OutboundMessage.PROBLEMS else "",
            sent_at=stored + timedelta(seconds=1) if status in ("sent", "delivered", "read") else None,
        )
        for place, status in enumerate(statuses, start=1)
    ]
    for role, said in (("user", f"Question {number}"), ("assistant", f"Answer {number}")):
        Message.objects.create(
            conversation=talk,
            role=role,
            content=said,
            created_at=stored + timedelta(milliseconds=2),
            turn_key=first.pk,
        )
    return parts[0]


def page_of(client: Client, talk: Conversation, **query: Any) -> str:
    response = client.get(reverse("admin:conversations_conversation_change", args=[talk.pk]), query)
    assert response.status_code == 200
    return response.content.decode()


def read(talk: Conversation, most: int = 100, before: int | None = None) -> Transcript:
    return transcript_of(talk, Bot.objects.filter(slug=talk.bot).first(), most, before)
