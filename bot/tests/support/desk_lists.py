"""Rows for every list of the desk, each with a person and a bot of its own, and what each list may ask."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.tests.support.factories import BotFactory, InboundFactory
from conversations.tests.factories import ConversationFactory, MessageFactory
from usage.days import today
from usage.models import DailySpend
from usage.tests.factories import ModelPriceFactory, UsageRecordFactory
from users.invite_codes import digest, new_code
from users.models import AuditEntry, Invite, User
from users.tests.factories import IdentityFactory, UserFactory


def a_person(number: int) -> User:
    """Somebody with an address."""
    return IdentityFactory.create().user


def a_conversation(number: int) -> Model:
    """A conversation in which something was said."""
    bot = BotFactory.create()
    return MessageFactory.create(conversation=ConversationFactory.create(bot=bot.slug)).conversation


def an_inbound_message(number: int) -> Model:
    """A message of somebody we know; every third is a dead letter."""
    state = InboundMessage.State.DEAD if number % 3 == 0 else InboundMessage.State.DONE
    return InboundFactory.create(address=UserFactory.create().phone_number, state=state, turn_key=number)


def an_outbound_message(number: int) -> Model:
    """A reply to somebody we know; every third is uncertain."""
    status = OutboundMessage.Status.UNCERTAIN if number % 3 == 0 else OutboundMessage.Status.READ
    chat = {"bot": BotFactory.create(), "address": UserFactory.create().phone_number}
    return OutboundMessage.objects.create(**chat, turn_key=number, part=1, text="Hello", status=status)


def a_lease(number: int) -> Model:
    """A chat that is worked on."""
    chat = {"bot": BotFactory.create(), "address": UserFactory.create().phone_number}
    return Lease.objects.create(**chat, worker="one", expires_at=timezone.now() + timedelta(minutes=1))


def an_access_request(number: int) -> Model:
    """Somebody who asks for access."""
    return AccessRequest.objects.create(bot=BotFactory.create(), address=f"+4915200{number:05}", profile_name="Eve")


def an_invite(number: int) -> Model:
    """An invite of somebody, for somebody."""
    soon = timezone.now() + timedelta(days=1)
    people = {"person": UserFactory.create(), "created_by": UserFactory.create()}
    return Invite.objects.create(digest=digest(new_code()), expires_at=soon, **people)


def an_audit_entry(number: int) -> Model:
    """Somebody who has read what another has written."""
    note = {"action": AuditEntry.Action.READ, "subject": UserFactory.create().pk, "via": "admin"}
    return AuditEntry.objects.create(actor=UserFactory.create(), **note)


def a_usage_record(number: int) -> Model:
    """A call that somebody has caused, with a bot."""
    return UsageRecordFactory.create(user=UserFactory.create(), bot=BotFactory.create().slug)


def a_daily_spend(number: int) -> Model:
    """What somebody has spent."""
    return DailySpend.objects.create(user=UserFactory.create(), day=today() - timedelta(days=number), spent_micros=5)


def a_task(success: bool) -> Callable[[int], Model]:
    """Return what makes a task that went well, or failed."""

    def make(number: int) -> Model:
        now = timezone.now()
        return Task.objects.create(
            id=uuid4().hex, name=f"task {number}", func="f", success=success, started=now, stopped=now
        )

    return make


def a_queued_task(number: int) -> Model:
    """A task that waits."""
    task: dict[str, Any] = {"id": uuid4().hex, "name": f"task {number}", "func": "f", "args": (), "kwargs": {}}
    return OrmQ.objects.create(key="parley", payload=SignedPackage.dumps(task), lock=timezone.now())


def a_schedule(number: int) -> Model:
    """Something that runs daily."""
    return Schedule.objects.create(name=f"schedule {number}", func="f", schedule_type=Schedule.DAILY)


# Each list: what makes one of its rows, and how many queries a page of it takes at most, two for who asks included.
LISTS: dict[str, tuple[Callable[[int], Model], int]] = {
    "bot.accessrequest": (an_access_request, 5),
    "bot.bot": (lambda number: BotFactory.create(), 5),
    "bot.inboundmessage": (an_inbound_message, 7),
    "bot.lease": (a_lease, 7),
    "bot.outboundmessage": (an_outbound_message, 7),
    "conversations.conversation": (a_conversation, 6),
    "django_q.failure": (a_task(False), 6),
    "django_q.ormq": (a_queued_task, 5),
    "django_q.schedule": (a_schedule, 6),
    "django_q.success": (a_task(True), 6),
    "usage.dailyspend": (a_daily_spend, 5),
    "usage.modelprice": (lambda number: ModelPriceFactory.create(model=f"model-{number}"), 5),
    "usage.usagerecord": (a_usage_record, 6),
    "users.auditentry": (an_audit_entry, 5),
    "users.invite": (an_invite, 4),
    "users.user": (a_person, 6),
}


def path_of(label: str) -> str:
    """Return where a model's list is."""
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def asked(client: Client, path: str) -> list[str]:
    """Return the queries of a page that is there."""
    with CaptureQueriesContext(connection) as captured:
        # (At its end a request empties what is captured.)
        response = client.get(path)
        queries = [query["sql"] for query in captured.captured_queries]
    assert response.status_code == 200, path
    return queries
