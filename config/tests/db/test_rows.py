"""Rows inserted as one JSON text are the rows that the ORM would have written."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from bot.models import OutboundMessage
from config.db.rows import insert_rows
from conversations.models import Conversation
from usage.models import UsageRecord
from users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 11, 22, 10, 29, 27, 123456, tzinfo=UTC)
TEXT = 'Grüße, 東京 👋 "quoted" it\'s \\ back\nnew\tline %s %d {}'


def test_every_kind_of_value_comes_back_as_it_went_in() -> None:
    user = UserFactory.create()
    price = {"source": "test", "rates": [1, None, {"deep": True}]}
    row = {
        "user_id": user.pk, "bot": "shop", "model": TEXT, "model_answered": "", "input_tokens": 2_147_483_647,
        "cached_input_tokens": 0, "output_tokens": 1, "cost_micros": 9_007_199_254_740_993, "price": price,
        "turn_key": None, "created_at": MOMENT,
    }  # fmt: skip

    insert_rows(UsageRecord, [row])

    stored = UsageRecord.objects.values(*row).get()
    assert stored == {**row, "model": stored["model"]}
    assert stored["model"] == TEXT


def test_what_is_left_out_gets_the_fields_default_and_ids_are_returned() -> None:
    rows = [{"bot_id": 1, "address": "a", "turn_key": key, "part": 1, "text": f"t{key}"} for key in range(3)]

    returned = insert_rows(OutboundMessage, rows, returning=("turn_key", "id"))

    stored = {message.turn_key: message for message in OutboundMessage.objects.all()}
    assert dict(returned) == {key: message.pk for key, message in stored.items()}
    assert {(message.status, message.attempts, message.error_code) for message in stored.values()} == {
        ("queued", 0, "")
    }
    assert stored[0].created_at.tzinfo is not None


def test_many_rows_are_one_statement(django_assert_num_queries: Any) -> None:
    rows = [{"bot_id": 1, "address": "a", "turn_key": key, "part": 1, "text": "x"} for key in range(500)]
    with django_assert_num_queries(1):
        insert_rows(OutboundMessage, rows)
    with django_assert_num_queries(0):
        assert insert_rows(OutboundMessage, []) == []


def test_a_conflict_does_what_the_caller_says_or_fails() -> None:
    user = UserFactory.create()
    row = {"user_id": user.pk, "bot": "shop", "expires_at": MOMENT}
    insert_rows(Conversation, [row])
    later = {**row, "expires_at": MOMENT.replace(day=23)}

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(Conversation, [later])
    insert_rows(Conversation, [later], on_conflict="(user_id, bot) DO UPDATE SET expires_at = excluded.expires_at")

    assert Conversation.objects.get().expires_at.day == 23


def test_a_value_that_is_too_long_is_refused_where_the_database_can_and_never_cut() -> None:
    long = "x" * 300
    row = {"bot_id": 1, "address": long, "turn_key": 1, "part": 1, "text": ""}
    try:
        with transaction.atomic():
            insert_rows(OutboundMessage, [row])
    except DatabaseError:
        assert not OutboundMessage.objects.exists()
    else:
        assert OutboundMessage.objects.get().address == long


def test_what_is_no_json_is_a_clear_error() -> None:
    with pytest.raises(TypeError, match="A set cannot be inserted"):
        insert_rows(OutboundMessage, [{"text": {1}}])
