"""Exported admin activity on a person's data, or by a person who is staff. Nobody else is named."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import ACTION_FLAG_CHOICES, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Case, F, Model, Q, TextField, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.privacy.export.fields import CHUNK_ROWS, Part, Rows, Told, by_whom, choice, time
from bot.privacy.export.parts.people import ROW_NUMBER
from bot.privacy.subjects import Subject
from users.models import AuditEntry, Identity, Invite, User

SOMEBODY_ELSE = "may name somebody else"


def admin_history(subject: Subject) -> Rows:
    """Return admin actions on the person, their identities and invites, and their own actions."""
    if subject.person is None:
        return []
    theirs: dict[type[Model], list[int]] = {
        User: [subject.person.pk],
        Identity: list(Identity.objects.filter(user=subject.person).values_list("pk", flat=True)),
        Invite: list(Invite.objects.filter(person=subject.person).values_list("pk", flat=True)),
    }
    about = Q(pk=None)
    for model, keys in theirs.items():
        kind = ContentType.objects.get_for_model(model)
        about |= Q(content_type=kind, object_id__in=[str(key) for key in keys])
    return (
        LogEntry.objects.filter(about | Q(user=subject.person))
        .annotate(
            about_you=Case(When(about, then=Value(True)), default=Value(False)),
            change=Case(When(about, then=F("change_message")), default=Value(""), output_field=TextField()),
        )
        .order_by("pk")
    )


def audit_log(subject: Subject) -> Rows:
    """Return the audit entries about the person's data, and those of their own reads and exports."""
    if subject.person is None:
        return []
    about = Q(subject=subject.person.pk)
    found = AuditEntry.objects.filter(about | Q(actor=subject.person)).order_by("pk")
    return found.annotate(about_you=Case(When(about, then=Value(True)), default=Value(False)))


def sessions(subject: Subject) -> Iterator[dict[str, Any]]:
    """Yield the end of each admin session of the person."""
    if subject.person is None:
        return
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=CHUNK_ROWS):
        if session.get_decoded().get("_auth_user_id") == str(subject.person.pk):
            yield {"expire_date": session.expire_date}


STAFF = (
    Part(
        "admin_history",
        _("What was done with your data in the admin, or by you"),
        LogEntry,
        admin_history,
        (
            time("action_time", _("at")),
            choice("action_flag", _("what"), ACTION_FLAG_CHOICES),
            Told("content_type__model", _("of which kind"), "of_kind"),
            by_whom("user", _("by"), "by"),
            Told("about_you", _("about you")),
            Told("change", _("details"), "details"),
        ),
        {"id": ROW_NUMBER, "object_id": SOMEBODY_ELSE, "object_repr": SOMEBODY_ELSE},
        {"about_you": "object_id", "change": "change_message"},
    ),
    Part(
        "audit_log",
        _("Who has exported or read your data, or whose you have"),
        AuditEntry,
        audit_log,
        (
            time("at", _("at")),
            choice("action", _("what"), AuditEntry.Action.choices),
            Told("via", _("where")),
            by_whom("actor", _("by"), "by"),
            Told("about_you", _("about you")),
        ),
        {"id": ROW_NUMBER, "details": "numbers of rows"},
        {"about_you": "subject"},
    ),
    Part(
        "sessions",
        _("Signed in to the admin"),
        Session,
        sessions,
        (time("expire_date", _("until"), "until"),),
        {"session_key": "a secret: it is what signs in", "session_data": "whose it is, signed"},
    ),
)
