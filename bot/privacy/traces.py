"""Find a person where no column says whose a row is: admin history, sessions, task rows, what staff wrote of them."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet
from django_q.models import OrmQ, Task

from bot.models import AccessRequest, InboundMessage, ModelChoice, OutboundMessage
from bot.privacy.subjects import Subject
from conversations.models import Conversation
from usage.models import DailySpend
from users.models import Identity, Invite, User

# A shorter name is a part of too many words.
SHORTEST_NAME = 3
FETCHED_AT_ONCE = 500
BETWEEN_DIGITS = re.compile(r"(?<=\d)[ ().\-/\u00a0]{1,3}(?=\d)")
UNSETTLED = ("queued", "sending")
MOST_OBJECTS = 5_000


def names_of(subject: Subject) -> tuple[str, ...]:
    """Return the texts that name somebody wherever they stand: addresses, numbers also without the plus, their name.

    All of them also as JSON has them: Django keeps messages to staff, and what its history says was changed, in it.
    """
    addresses = {address for _, address in subject.addresses}
    bare = {number[1:] for number in subject.numbers}
    name = subject.person.name if subject.person and len(subject.person.name) >= SHORTEST_NAME else ""
    names = {*addresses, *bare, name} - {""}
    return tuple(sorted(names | {json.dumps(one)[1:-1] for one in names}))


def mentions(field: str, names: Iterable[str]) -> Q:
    """Return the condition that a text has one of the names in it, in any case."""
    found = Q(pk=None)  # nothing
    for name in names:
        found |= Q(**{f"{field}__icontains": name})
    return found


def admin_history(subject: Subject, inbound: Sequence[int], outbound: Sequence[int]) -> "QuerySet[LogEntry]":
    """Return what the admin's history says of a person, of what is theirs, and of what they did themselves.

    inbound, outbound: the ids of what is theirs in the inbox and outbox.
    """
    names = names_of(subject)
    found = mentions("object_repr", names) | mentions("change_message", names)
    objects: list[tuple[type[Model], list[Any]]]
    objects = [*_objects_of(subject), (InboundMessage, list(inbound)), (OutboundMessage, list(outbound))]
    for model, keys in objects:
        kind = ContentType.objects.get_for_model(model)
        # (Of thousands of messages the latest: staff have opened few, and a statement has a limit.)
        found |= Q(content_type=kind, object_id__in=[str(key) for key in keys[-MOST_OBJECTS:]])
    if subject.person is not None:
        found |= Q(user=subject.person)
    return LogEntry.objects.filter(found)


def _objects_of(subject: Subject) -> Iterator[tuple[type[Model], list[Any]]]:
    """Yield the other objects about a person that staff can see in the admin, whose names the history may hold."""
    yield AccessRequest, list(AccessRequest.objects.filter(subject.chats()).values_list("pk", flat=True))
    if subject.person is None:
        return
    yield User, [subject.person.pk]
    owned: tuple[tuple[type[Model], str], ...] = (
        (Identity, "user"), (Conversation, "user"), (ModelChoice, "user"), (DailySpend, "user"), (Invite, "person"),
    )  # fmt: skip
    for kind, owner in owned:
        yield kind, list(kind._default_manager.filter(**{owner: subject.person}).values_list("pk", flat=True))


def sessions_of(subject: Subject) -> list[str]:
    """Return the keys of the sessions in which somebody is signed in, or in which a message waits that names them.

    Every session is read, those that have ended too: staff have few.
    """
    key = str(subject.person.pk) if subject.person else None
    wanted = [name.lower() for name in names_of(subject)]
    found = []
    for row in Session.objects.iterator(FETCHED_AT_ONCE):
        content = row.get_decoded()
        if (key and content.get(SESSION_KEY) == key) or _names_any(content.values(), wanted):
            found.append(row.session_key)
    return found


def tasks_naming(names: Iterable[str]) -> list[str]:
    """Return the ids of finished tasks whose arguments or result name somebody. Parley's own never do."""
    wanted = [name.lower() for name in names]
    rows = Task.objects.iterator(FETCHED_AT_ONCE)
    return [
        row.id for row in rows if _names_any([row.name, row.group, row.args, row.kwargs, row.result, row.hook], wanted)
    ]


def queued_tasks_naming(names: Iterable[str]) -> list[int]:
    """Return the ids of tasks that wait in the broker's table and name somebody."""
    wanted = [name.lower() for name in names]
    return [row.pk for row in OrmQ.objects.iterator(FETCHED_AT_ONCE) if _names_any([row.task], wanted)]


def texts_naming(names: Iterable[str]) -> "QuerySet[OutboundMessage]":
    """Return texts of others' chats that name somebody, as the answers to staff's commands do. None that is unsent."""
    return settled_texts().filter(mentions("text", names))


def settled_texts() -> "QuerySet[OutboundMessage]":
    """Return the texts of the outbox that nobody waits for."""
    return OutboundMessage.objects.exclude(text="").exclude(status__in=UNSETTLED)


def dead_letters_naming(names: Iterable[str]) -> list[int]:
    """Return the ids of others' dead letters whose text names somebody: commands of staff that failed."""
    wanted = [name.lower() for name in names]
    rows = InboundMessage.objects.filter(state=InboundMessage.State.DEAD).exclude(payload={})
    return [row.pk for row in rows.only("payload").iterator(FETCHED_AT_ONCE) if _names_any([row.payload], wanted)]


def _names_any(values: Iterable[Any], names: Iterable[str]) -> bool:
    text = " ".join(str(value) for value in values if value is not None).lower()
    # People put blanks, dashes and brackets into numbers.
    joined = BETWEEN_DIGITS.sub("", text)
    return any(name in text or name in joined for name in names)
