"""How the whole system does: who lives, and what waits."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from bot.monitoring import health
from bot.tests.monitoring.living import system
from bot.tests.support.factories import InboundFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_without_workers_a_web_process_is_degraded_and_ready(client: Client) -> None:
    health.forget()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["system"]["worker_seen_seconds"] is None


def test_what_waits_is_told_but_not_what_waits_for_a_paused_bot(client: Client) -> None:
    waiting = InboundFactory.create(available_at=timezone.now() - timedelta(seconds=90))
    InboundFactory.create(state="done")
    found = system(client)
    assert found["waiting_messages"] == 1
    assert found["oldest_waiting_seconds"] == pytest.approx(90, abs=10)
    waiting.bot.paused_at = timezone.now()
    waiting.bot.save()
    assert system(client)["waiting_messages"] == 0
