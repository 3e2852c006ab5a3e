"""Tasks, and the lists that show them."""

from typing import Any

from django.test import Client
from django.utils import timezone
from django_q.models import Schedule, Task

from bot.operations.schedules import KNOWN
from bot.tests.support.desk_rows import contents


def a_task(success: bool = False, **fields: Any) -> Task:
    now = timezone.now()
    values = {
        "func": "bot.operations.schedules.purge",
        "args": ("rm",),
        "kwargs": {"a": "+491701234567"},
        "result": "x",
    }
    return Task.objects.create(id="t", name="t", started=now, stopped=now, success=success, **{**values, **fields})


def rows() -> dict[str, int]:
    return {label: value for label, value in contents().items() if label.startswith("django_q.")}


def text_of(client: Client, url: str) -> str:
    return client.get(url, follow=True).content.decode()


def pk_of(key: str) -> int:
    return Schedule.objects.get(name=KNOWN[key].name).pk
