"""What a webhook stores travels as one text that holds nothing which most rows have."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bot.models import InboundMessage, NewInbound
from bot.tests.support.factories import ALICE, BotFactory

pytestmark = pytest.mark.django_db


def new(external_id: str, **fields: str) -> NewInbound:
    now = timezone.now()
    return NewInbound(BotFactory.create().pk, external_id, ALICE, "text", now, now, {"text": "Hi"}, **fields)  # type: ignore[arg-type]


def test_what_most_rows_have_is_not_sent_and_stored_all_the_same() -> None:
    rows = [new("one"), new("two", origin="notice", state="done", error_code="X")]
    with CaptureQueriesContext(connection) as captured:
        InboundMessage.objects.store(rows)

    (query,) = captured
    ordinary, other = json.loads(query["sql"][query["sql"].index("[{") : query["sql"].index("}]") + 2])
    assert set(other) - set(ordinary) == {"origin", "state", "error_code"}
    stored = InboundMessage.objects.order_by("pk").values_list("external_id", "origin", "state", "error_code")
    assert list(stored) == [("one", "person", "pending", ""), ("two", "notice", "done", "X")]
