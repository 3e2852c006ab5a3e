"""Read the admin's first page and the lists that it leads to, and make what it shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django_q.models import Task

from bot.models import AccessRequest, Bot, Heartbeat
from bot.tests.support.factories import BOB
from bot.tests.support.figure_rows import call, message, reply
from usage.days import today
from usage.models import DailySpend
from users.models import User
from users.tests.factories import UserFactory

NOW = datetime(2026, 3, 11, 15, 40, tzinfo=UTC)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def rows(client: Client, address: str) -> set[int]:
    """Return the ids of the rows that a list shows at an address, which must understand all of it."""
    response = client.get(address)
    assert response.status_code == 200, f"{address} leads to {response.headers.get('Location')}"
    return {row.pk for row in response.context["cl"].result_list}


def ids(*made: Any) -> set[int]:
    return {row.pk for row in made}


def paid(bot: str, micros: int, person: User) -> None:
    """Record a call of now as the worker does: in the records and in the person's budget."""
    call(bot, NOW, micros, user=person)
    DailySpend.objects.create(day=today(), user=person, spent_micros=micros // 2, reserved_micros=micros - micros // 2)


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/admin/{query}")
    assert response.status_code == 200
    return str(response.content.decode())


def alive() -> None:
    for kind in ("worker", "scheduler"):
        Heartbeat.objects.create(kind=kind, process=kind, seen_at=NOW)


def everything(shop: Bot) -> None:
    """Store something of each kind that the page shows."""
    person = UserFactory.create(name="Zoe", daily_budget_micros=100)
    key = message(shop, NOON, state="done", error_code="UNCERTAIN:timeout", turn_key=1).pk
    type(shop).objects.filter(pk=shop.pk).update(paused_at=NOW, daily_budget_micros=100)
    message(shop, NOW, took=2), message(shop, NOON, state="dead", error_code="INTERNAL_ERROR")
    message(shop, NOW - timedelta(minutes=5)), reply(shop, NOON, "uncertain", turn_key=key, doubt="timeout")
    shop.inbound_messages.filter(pk=key).update(turn_key=key)
    call("shop", NOW, 95, user=person)
    DailySpend.objects.create(day=today(), spent_micros=950)
    DailySpend.objects.create(day=today(), bot="shop", spent_micros=100)
    AccessRequest.objects.create(bot=shop, address=BOB)
    Task.objects.create(id="f" * 32, name="t", func="f", started=NOW, stopped=NOW, success=False)
