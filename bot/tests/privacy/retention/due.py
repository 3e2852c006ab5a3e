"""Rows whose time is over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from bot.operations import purge
from bot.privacy.retention.entry import Counts
from bot.privacy.retention.table import steps
from bot.tests.support.factories import ALICE, InboundFactory, whitelisted
from conversations.models import Conversation
from usage.models import UsageRecord


def ago(**time: float) -> Any:
    return timezone.now() - timedelta(**time)


def everything_due(bot: Any) -> None:
    alice = whitelisted(ALICE)
    conversation = Conversation.objects.find_or_create(alice, "shop")
    Conversation.objects.add_message(conversation, "user", "Hello")
    Conversation.objects.update(expires_at=ago(minutes=1))
    UsageRecord.objects.create(user=alice, model="m", input_tokens=1, output_tokens=1, created_at=ago(days=400))
    InboundFactory.create(bot=bot, state="done", received_at=ago(days=9))


def failing(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let some steps of the purge fail."""

    def fail(*arguments: Any) -> Counts:
        raise DatabaseError("canary-detail")

    changed = [replace(step, run=fail) if step.name in names else step for step in steps()]
    assert {step.name for step in changed if step.run is fail} == set(names)
    monkeypatch.setattr(purge, "steps", lambda: iter(changed))
