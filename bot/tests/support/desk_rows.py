"""A row at least on every page of the desk, for tests that open them all."""

from io import StringIO
from typing import Any

from django.apps import apps
from django.contrib.admin import autodiscover, site
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from bot.models import OutboundMessage
from bot.tests.support.factories import BotFactory
from usage.tests.factories import ModelPriceFactory
from users.models import AuditEntry, User
from users.tests.factories import IdentityFactory

# What the system writes by the way: that somebody is signed in, and what was counted.
OPERATION = ("sessions.session", "bot.counter")


def fill_desk() -> dict[str, Any]:
    """Make demo data and what it leaves out; return the id of the newest row of each model that has pages.

    The newest person only chats; the newest bot is paused.
    """
    autodiscover()  # (a command has no pages)
    call_command("seed_demo", days=10, people=20, yes=True, stdout=StringIO())
    BotFactory.create(name="Paused", paused_at=timezone.now(), pause_reason="The provider refuses the access token.")
    person = User.objects.create_user("+12025550199", name="Dora", is_whitelisted=True)
    IdentityFactory.create(user=person)
    ModelPriceFactory.create()
    AuditEntry.objects.create(action=AuditEntry.Action.EXPORTED, subject=person.pk, actor=None, via="command")
    fill_schedules()
    ids = {model._meta.label_lower: newest(model) for model in site._registry}
    # The simulator's pages are about messages that were sent; those of staff are for owners only.
    staff = User.objects.filter(is_staff=True).values("phone_number")
    sent = OutboundMessage.objects.exclude(address__in=staff).order_by("pk").last()
    assert sent is not None
    return {**ids, "": sent.pk}


def fill_schedules() -> None:
    """Make a row in each of django-q2's tables."""
    now, func = timezone.now(), "bot.operations.schedules.purge"
    Schedule.objects.create(name="purge", func=func, schedule_type=Schedule.DAILY)
    for name, success in (("went well", True), ("went wrong", False)):
        result = None if success else "ValueError : nothing worked"
        Task.objects.create(
            id=name, name=name, func=func, started=now, stopped=now, success=success, result=result, attempt_count=1
        )
    OrmQ.objects.create(key="parley", payload=SignedPackage.dumps({"id": "1", "name": "waits", "func": func}), lock=now)


def newest(model: type[Any]) -> Any:
    """Return the id of a model's newest row.

    Raises:
        AssertionError: there is none, so no page about one can be opened.
    """
    row = model._default_manager.order_by("pk").last()
    assert row is not None, f"fill_desk() makes no {model._meta.label_lower}"
    return row.pk


def contents(*without: str) -> dict[str, int]:
    """Return the whole database in short: for each table but these a number that changes with any of its rows."""
    return {
        label: hash(tuple(sorted(map(repr, model._base_manager.values_list()))))
        for model in apps.get_models()
        if (label := model._meta.label_lower) not in (*OPERATION, *without)
    }
