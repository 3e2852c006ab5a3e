"""Add prices in the admin."""

from typing import Any

from django.test import Client
from django.urls import reverse

from usage.tests.usages import TODAY

ADD = reverse("admin:usage_modelprice_add")


def add(client: Client, **fields: Any) -> Any:
    rates = {"input_micros_per_million": "0.20", "output_micros_per_million": "1.5"}
    return client.post(ADD, {"model": "house", "valid_from": str(TODAY), **rates, **fields}, follow=True)
