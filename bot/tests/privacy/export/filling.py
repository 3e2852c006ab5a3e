"""People of whom much is held."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore

from bot.models import AccessRequest, InboundMessage, Lease, ModelChoice, OutboundMessage
from conversations.models import Conversation
from conversations.tests.factories import add_messages
from usage.models import DailySpend, Reservation, UsageRecord
from users.invites import create_invite
from users.models import AuditEntry, Identity, Invite, User


def fill(person: User, mark: str, bots: list[Any], staff: User) -> None:
    """Leave something about a person in every table; each of its texts begins with their mark."""
    number, at = person.phone_number or "", datetime(2026, 11, 25, 12, 30, 15, tzinfo=UTC)
    bot = bots[0]
    person.set_password(f"{mark}-password")
    person.last_login = at
    person.daily_budget_micros = 1_250_000
    person.save()
    Identity.objects.create(user=person, channel="whatsapp", address=f"US.{mark}SID")
    ModelChoice.objects.create(bot=bot, user=person, model=f"{mark}-model")
    for one in bots:
        conversation = Conversation.objects.find_or_create(person, one.slug)
        add_messages(conversation, [("user", f"{mark}-said"), ("assistant", f"{mark}-heard")])
    for n, address in enumerate((number, f"US.{mark}SID")):
        chat = {"bot": bots[n], "address": address}
        InboundMessage.objects.create(
            **chat, external_id=f"{mark}-in{n}", kind="text", state="dead", error_code="INTERNAL_ERROR",
            payload={"text": f"{mark}-wrote{n}", "profile_name": f"{mark}-profile"}, turn_key=n + 1,
        )  # fmt: skip
        OutboundMessage.objects.create(**chat, turn_key=hash((mark, n)) % 10**9, part=1, text=f"{mark}-reply{n}")
        OutboundMessage.objects.create(
            **chat, turn_key=hash((mark, n)) % 10**9, part=2, text=f"{mark}-content", filename=f"{mark}.txt"
        )
        Lease.objects.create(**chat, worker="w1", expires_at=at)
        AccessRequest.objects.create(**chat, profile_name=f"{mark}-asked", messages=3)
    UsageRecord.objects.create(
        user=person, bot=bot.slug, model=f"{mark}-asked-model", input_tokens=10, output_tokens=5, cost_micros=123,
        call_id=f"{mark}-call", price={"source": f"{mark}-price"},
    )  # fmt: skip
    DailySpend.objects.create(user=person, day=at.date(), spent_micros=123)
    Reservation.objects.create(user=person, turn_key=hash(mark) % 10**9, fence=1, day=at.date(), amount_micros=77)
    create_invite(person=person, note=f"{mark}-note", created_by=staff)
    Invite.objects.filter(pk=create_invite(note=f"{mark}-for-somebody-else").pk).update(created_by=person)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=staff, content_type=kind, object_id=str(person.pk), object_repr=f"{mark}-repr", action_flag=CHANGE,
        change_message=f'[{{"changed": {{"fields": ["{mark}-field"]}}}}]',
    )  # fmt: skip
    LogEntry.objects.create(
        user=person, content_type=kind, object_id=str(staff.pk), object_repr="Olga", action_flag=CHANGE,
        change_message="about Olga",
    )  # fmt: skip
    AuditEntry.objects.create(action="read", subject=person.pk, actor=staff, via="admin", details={"conversation": 1})
    AuditEntry.objects.create(action="exported", subject=person.pk, via="chat")
    session = SessionStore()
    session["_auth_user_id"] = str(person.pk)
    session.save()
