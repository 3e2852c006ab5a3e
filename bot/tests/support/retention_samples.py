"""Rows of every kind that the purge takes, whose time begins when a test says."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import OrmQ, Task

from bot.models import AccessRequest, Bot, Counter, Heartbeat, InboundMessage, Lease, ModelChoice, OutboundMessage
from bot.privacy.retention.costs import USAGE_PERIOD
from bot.privacy.retention.made_up import MADE_UP_NUMBERS
from bot.privacy.retention.periods import MESSAGE_ROW_DAYS
from bot.privacy.retention.table import steps
from conversations.models import Conversation, Message, next_expiry
from usage.days import day_start, today
from usage.models import ClosedDay, DailySpend, ModelPrice, Reservation, SpendAlert, UsageDay, UsageRecord
from usage.spending import Changes
from users.invites import create_invite
from users.models import AuditEntry, Identity, Invite, Tombstone, User

# Stores what its step takes when the step's period is over, counted from the given time, and returns it.
Sample = Callable[[datetime], list["QuerySet[Any]"]]
SAMPLES: dict[str, Sample] = {}
NUMBERS = count(1)


def sample(function: Sample) -> Sample:
    """Use a function as the sample of the step it is named after."""
    SAMPLES[function.__name__] = function
    return function


def rows(*made: Any) -> "list[QuerySet[Any]]":
    return [type(one)._base_manager.filter(pk=one.pk) for one in made]


def bot() -> Bot:
    return Bot.objects.get_or_create(slug="sampled", defaults={"name": "Sampled", "channel": "console"})[0]


def person() -> User:
    return User.objects.create_user(f"+49170{next(NUMBERS):08}")


def address() -> str:
    return f"+49160{next(NUMBERS):08}"


@sample
def conversations(since: datetime) -> "list[QuerySet[Any]]":
    conversation = Conversation.objects.create(user=person(), expires_at=next_expiry(since))
    return rows(Message.objects.create(conversation=conversation, role="user", content="Hello"), conversation)


@sample
def inbound(since: datetime) -> "list[QuerySet[Any]]":
    common = {"bot": bot(), "kind": "text", "received_at": since}
    states = ("done", "dead", "quarantined")
    return rows(
        *(InboundMessage.objects.create(**common, external_id=uuid4().hex, address=address(), state=state)
          for state in states)
    )  # fmt: skip


@sample
def outbound(since: datetime) -> "list[QuerySet[Any]]":
    common = {"bot": bot(), "part": 1, "created_at": since, "text": ""}
    states = ("delivered", "failed", "queued")
    return rows(
        *(OutboundMessage.objects.create(**common, turn_key=next(NUMBERS), address=address(), status=state)
          for state in states)
    )  # fmt: skip


@sample
def farewells(since: datetime) -> "list[QuerySet[Any]]":
    where = {"bot": bot(), "address": address()}
    fields = {"external_id": f"farewell:{uuid4()}", "kind": "text", "origin": "farewell", "payload": {"notice": "Bye"}}
    # (Its id is the key of its turn: one that no other sample's reply has.)
    message = InboundMessage.objects.create(pk=1_000_000 + next(NUMBERS), received_at=since, **fields, **where)
    reply = OutboundMessage.objects.create(turn_key=message.pk, part=1, **where)
    return rows(message, reply, Lease.objects.create(expires_at=since, **where))


@sample
def outbound_texts(since: datetime) -> "list[QuerySet[Any]]":
    common = {"bot": bot(), "part": 1, "created_at": since, "text": "Hello"}
    states = ("sent", "failed", "uncertain")
    made = rows(
        *(OutboundMessage.objects.create(**common, turn_key=next(NUMBERS), address=address(), status=state)
          for state in states)
    )  # fmt: skip
    return [one.exclude(text="") for one in made]


@sample
def leases(since: datetime) -> "list[QuerySet[Any]]":
    return rows(Lease.objects.create(bot=bot(), address=address(), expires_at=since))


@sample
def access_requests(since: datetime) -> "list[QuerySet[Any]]":
    return rows(AccessRequest.objects.create(bot=bot(), address=address(), last_seen_at=since))


@sample
def invites(since: datetime) -> "list[QuerySet[Any]]":
    expired, revoked = create_invite(), create_invite()
    Invite.objects.filter(pk=expired.pk).update(expires_at=since)
    Invite.objects.filter(pk=revoked.pk).update(revoked_at=since)
    return rows(expired, revoked)


@sample
def tombstones(since: datetime) -> "list[QuerySet[Any]]":
    return rows(Tombstone.objects.create(digest=uuid4().hex, erased_at=since))


@sample
def audit_entries(since: datetime) -> "list[QuerySet[Any]]":
    return rows(AuditEntry.objects.create(at=since, action="read", via="admin", actor=person()))


@sample
def spend_alerts(since: datetime) -> "list[QuerySet[Any]]":
    return rows(SpendAlert.objects.create(bot=uuid4().hex, day=local_day(since), percent=50))


@sample
def closed_days(since: datetime) -> "list[QuerySet[Any]]":
    return rows(ClosedDay.objects.create(day=local_day(since)))


@sample
def daily_spends(since: datetime) -> "list[QuerySet[Any]]":
    day = local_day(since)
    return rows(DailySpend.objects.create(user=person(), day=day), DailySpend.objects.create(bot=uuid4().hex, day=day))


@sample
def usage_records(since: datetime) -> "list[QuerySet[Any]]":
    tokens = {"model": "m", "input_tokens": 3, "output_tokens": 2, "cost_micros": 7}
    return rows(UsageRecord.objects.create(user=person(), bot="sampled", created_at=since, **tokens))


@sample
def reservations(since: datetime) -> "list[QuerySet[Any]]":
    # Of a turn that is not there; on a day that is not past before the period is over.
    day, user = local_day(since) + timedelta(days=1), person()
    changes = Changes()
    changes.add(user.pk, "sampled", day, reserved=5)
    DailySpend.objects.apply(changes)
    common = {"fence": 1, "day": day, "amount_micros": 5, "created_at": since}
    return rows(Reservation.objects.create(turn_key=10**9 + next(NUMBERS), user=user, bot="sampled", **common))


@sample
def heartbeats(since: datetime) -> "list[QuerySet[Any]]":
    return rows(Heartbeat.objects.create(kind="worker", process=uuid4().hex, seen_at=since))


@sample
def admin_history(since: datetime) -> "list[QuerySet[Any]]":
    return rows(LogEntry.objects.create(action_time=since, user=person(), action_flag=CHANGE, object_repr="Anna"))


@sample
def sessions(since: datetime) -> "list[QuerySet[Any]]":
    expires = since + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return rows(Session.objects.create(session_key=uuid4().hex, session_data="x", expire_date=expires))


@sample
def tasks(since: datetime) -> "list[QuerySet[Any]]":
    common = {"func": "bot.operations.schedules.purge", "started": since, "stopped": since}
    return rows(
        *(Task.objects.create(id=uuid4().hex, name="t", success=success, **common) for success in (True, False))
    )


@sample
def queued_tasks(since: datetime) -> "list[QuerySet[Any]]":
    # Of a scheduler that has another name now: ours would take it and run it.
    return rows(OrmQ.objects.create(key="another", payload="signed", lock=since))


@sample
def previews(since: datetime) -> "list[QuerySet[Any]]":
    of = Bot.objects.create(slug=f"previewed-{uuid4().hex}", name="Previewed", channel="console")
    preview = Bot.objects.create(slug=uuid4().hex, name="Preview", channel="console", preview_of=of)
    Bot.objects.filter(pk=preview.pk).update(updated_at=since)
    Bot.objects.filter(pk=of.pk).update(updated_at=since)
    return rows(preview)


@sample
def simulated_people(since: datetime) -> "list[QuerySet[Any]]":
    taken = set(User.objects.values_list("phone_number", flat=True))
    number = next(number for number in MADE_UP_NUMBERS if number not in taken)
    made_up = User.objects.create_user(number, daily_budget_micros=0)
    User.objects.filter(pk=made_up.pk).update(updated_at=since)
    return rows(made_up)


def local_day(moment: datetime) -> Any:
    return timezone.localdate(moment, timezone.get_default_timezone())


def furniture() -> None:
    """Store a row of what no time ends."""
    anna = person()
    Identity.objects.create(user=anna, channel="console", address=address())
    ModelChoice.objects.create(bot=bot(), user=anna, model="m")
    ModelPrice.objects.create(model="m", valid_from=today(), input_micros_per_million=1, output_micros_per_million=1)
    UsageDay.objects.add(
        [{"day": today() - timedelta(days=900), "bot": "old", "kind": "completion", "model": "m", "calls": 1,
          "input_tokens": 1, "cached_input_tokens": 0, "output_tokens": 1, "cost_micros": 1, "unpriced": 0}]
    )  # fmt: skip
    Counter.objects.create(name="messages_received", value=1)
    old = timezone.now() - timedelta(days=900)
    InboundMessage.objects.create(
        bot=bot(), kind="text", external_id=uuid4().hex, address=address(), available_at=timezone.now() + timedelta(9),
        received_at=old,
    )  # fmt: skip


def seed(ages: tuple[int, ...] = (-400, -3, 0, 2, 40)) -> dict[str, list[str]]:
    """Store what became due so many days ago (-), or will be, for each step; return what is due, as row names.

    The days begin at midnight, as budgets' do.
    """
    due: dict[str, list[str]] = {"rows": [], "texts": []}
    furniture()
    for age in ages:
        at = day_start(today() + timedelta(days=age))
        for step in steps():
            made = SAMPLES[step.name](at - step.period.get())
            names = [row_name(one.get()) for one in made] if age <= 0 else []
            if step.name == "outbound_texts":
                due["texts"] += names
                # The row of such an old text is due as well.
                due["rows"] += names if age < -MESSAGE_ROW_DAYS else []
            else:
                due["rows"] += names
    # What the reservations had made.
    last = today() - USAGE_PERIOD.get()
    due["rows"] += [
        row_name(one) for one in DailySpend.objects.filter(day__lte=last) if row_name(one) not in due["rows"]
    ]
    return due


def row_name(row: Any) -> str:
    return f"{row._meta.label} {row.pk}"


def all_rows() -> list[str]:
    """Return the names of all rows of all tables."""
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    return sorted(row_name(row) for model in models for row in model._base_manager.all())


def texts() -> list[str]:
    """Return the names of the replies that have a text."""
    return sorted(row_name(row) for row in OutboundMessage.objects.exclude(text=""))
