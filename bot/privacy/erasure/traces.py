"""Search for a person's traces without a foreign key: the admin's history, and sessions."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet

from bot.models import AccessRequest, InboundMessage, ModelChoice, OutboundMessage
from bot.privacy.subjects import Subject
from conversations.models import Conversation
from usage.models import DailySpend
from users.models import Identity, Invite, User

FETCHED_AT_ONCE = 500
MOST_OBJECTS = 5_000


def admin_history(subject: Subject, inbound: Sequence[int], outbound: Sequence[int]) -> "QuerySet[LogEntry]":
    """Return the admin's history of a person, of their rows, and of their own actions.

    inbound, outbound: the ids of their rows in the inbox and outbox.
    """
    objects: list[tuple[type[Model], list[Any]]]
    objects = [*_objects_of(subject), (InboundMessage, list(inbound)), (OutboundMessage, list(outbound))]
    found = Q(pk=None)  # nothing
    for model, keys in objects:
        kind = ContentType.objects.get_for_model(model)
        # Only the latest of thousands of messages: staff open few, and a statement has a limit of parameters.
        found |= Q(content_type=kind, object_id__in=[str(key) for key in keys[-MOST_OBJECTS:]])
    if subject.person is not None:
        found |= Q(user=subject.person)
    return LogEntry.objects.filter(found)


def _objects_of(subject: Subject) -> Iterator[tuple[type[Model], list[Any]]]:
    """Yield models with the keys of a person's other rows that staff can change in the admin."""
    yield AccessRequest, list(AccessRequest.objects.filter(subject.chats(AccessRequest)).values_list("pk", flat=True))
    if subject.person is None:
        return
    yield User, [subject.person.pk]
    owned: tuple[tuple[type[Model], str], ...] = (
        (Identity, "user"), (Conversation, "user"), (ModelChoice, "user"), (DailySpend, "user"), (Invite, "person"),
    )  # fmt: skip
    for kind, owner in owned:
        yield kind, list(kind._default_manager.filter(**{owner: subject.person}).values_list("pk", flat=True))


def sessions_of(subject: Subject) -> list[str]:
    """Return the keys of a person's sessions, including expired ones.

    A session's user is only in its signed content, so all sessions are read: staff have few.
    """
    if subject.person is None:
        return []
    key = str(subject.person.pk)
    rows = Session.objects.iterator(FETCHED_AT_ONCE)
    return [row.session_key for row in rows if row.get_decoded().get(SESSION_KEY) == key]
