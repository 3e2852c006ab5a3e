"""Read the lists of records and of days."""

from typing import Any

from django.test import Client
from django.urls import reverse

RECORDS = reverse("admin:usage_usagerecord_changelist")


def found(client: Client, address: str = RECORDS, **asked: Any) -> list[Any]:
    response = client.get(address, {name.rstrip("_"): value for name, value in asked.items()})
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def costs(client: Client, **asked: Any) -> list[int]:
    return [record.cost_micros for record in found(client, **asked)]
