"""Read what /metrics tells."""

from typing import Any

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from bot.monitoring.metrics import views


def scrape(client: Client, **headers: str) -> Any:
    views.forget()
    return client.get("/metrics", headers=headers)


def samples(client: Client) -> dict[tuple[str, ...], float]:
    """Return every sample that is not 0: (name, label values…) → value, without the prefix."""
    text = scrape(client).content.decode()
    return {
        (sample.name.removeprefix("parley_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value
    }
