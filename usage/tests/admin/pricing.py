"""Add prices in the admin."""

from datetime import UTC, datetime
from typing import Any

from django.test import Client
from django.urls import reverse

from usage.tests.factories import UsageRecordFactory
from usage.tests.usages import TODAY

ADD = reverse("admin:usage_modelprice_add")


def add(client: Client, **fields: Any) -> Any:
    rates = {"input_micros_per_million": "0.20", "output_micros_per_million": "1.5"}
    return client.post(ADD, {"model": "house", "valid_from": str(TODAY), **rates, **fields}, follow=True)


def add_price(client, **fields):
    data = {"model": "house", "valid_from": "2026-03-10", "input_micros_per_million": "1"}
    url = reverse("admin:usage_modelprice_add")
    response = client.post(url, {**data, "output_micros_per_million": "2", **fields}, follow=True)
    return "\n".join(str(message) for message in response.context["messages"])


def unpriced(day, **fields):
    moment = datetime(2026, 3, day, 12, tzinfo=UTC)
    return UsageRecordFactory.create(**{"model": "house", "cost_micros": None, "created_at": moment, **fields})
