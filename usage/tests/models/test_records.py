"""A model call is recorded with its tokens and its cost, and stays when its person goes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from usage.models import UsageRecord
from usage.tests.factories import UsageRecordFactory
from users.tests.factories import bob

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DAY = date(2026, 3, 10)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_record_needs_the_tokens_and_the_cost_and_nothing_more():
    user = bob()
    record = UsageRecord.objects.create(user=user, model="gpt-6-luna", input_tokens=7, output_tokens=3, cost_micros=5)
    record.refresh_from_db()
    assert (record.kind, record.cached_input_tokens, record.bot, record.price) == ("completion", 0, "", {})
    assert (record.model_answered, record.turn_key) == ("", None)
    assert abs(record.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert str(record) == f"usage record {record.pk}"


@pytest.mark.parametrize("field", ["input_tokens", "cached_input_tokens", "output_tokens"])
def test_a_negative_number_of_tokens_is_refused(field):
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageRecordFactory.create(**{field: -1})


def test_a_deleted_person_leaves_their_usage_as_an_anonymous_sum():
    user = bob()
    UsageRecordFactory.create(user=user, created_at=at("2026-03-10 12:00"))
    user.delete()
    assert UsageRecord.objects.get_global_daily_total(DAY).cost_micros == 1_000
