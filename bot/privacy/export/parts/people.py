"""Exported data of a person: profile, identities, invites and choices."""

from collections.abc import Callable
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from bot.models import AccessRequest, ModelChoice
from bot.privacy.export.fields import Part, Told, amount, by_whom, choice, time
from bot.privacy.subjects import Subject
from users.models import Identity, Invite, Role, User

ROW_NUMBER = "the row's own number"
IS_THEM = "it is the person"
NOT_USED = "not used: rights follow from the role"


def of_person(model: type[Model], field: str) -> Callable[[Subject], QuerySet[Any, Any]]:
    """Return a function from a subject to the rows of a model whose field is the person."""

    def rows(subject: Subject) -> QuerySet[Any, Any]:
        found: QuerySet[Any, Any] = model._default_manager.order_by("pk")
        return found.filter(**{field: subject.person}) if subject.person else found.none()

    return rows


def themselves(subject: Subject) -> QuerySet[User]:
    """Return the person's row, if there is one."""
    return User.objects.filter(pk=subject.person.pk) if subject.person else User.objects.none()


PEOPLE = (
    Part(
        "person",
        _("You"),
        User,
        themselves,
        (
            Told("id", _("number in our records")),
            Told("phone_number", _("phone number")),
            Told("name", _("name")),
            choice("role", _("role"), Role.choices),
            Told("is_whitelisted", _("may talk to the bots")),
            Told("is_staff", _("may sign in to the admin")),
            amount("daily_budget_micros", _("daily budget"), "daily_budget_usd"),
            time("last_seen_at", _("last message")),
            time("numbered_at", _("phone number changed")),
            time("created_at", _("created")),
            time("updated_at", _("changed")),
            time("last_login", _("last sign-in to the admin")),
        ),
        {
            "password": "a secret, of which only a hash is held",
            "is_superuser": "follows from the role",
            "groups": NOT_USED,
            "user_permissions": NOT_USED,
        },
    ),
    Part(
        "identities",
        _("How messengers name you"),
        Identity,
        of_person(Identity, "user"),
        (Told("channel", _("channel")), Told("address", _("address")), time("created_at", _("known since"))),
        {"id": ROW_NUMBER, "user": IS_THEM},
    ),
    Part(
        "access_requests",
        _("Requests for access"),
        AccessRequest,
        lambda subject: AccessRequest.objects.filter(subject.chats(AccessRequest)).order_by("pk"),
        (
            Told("bot__slug", _("bot"), "bot"),
            Told("address", _("address")),
            Told("profile_name", _("name in the messenger")),
            Told("messages", _("messages")),
            time("first_seen_at", _("first message")),
            time("last_seen_at", _("last message")),
            time("told_at", _("told that you are not let in")),
        ),
        {"id": ROW_NUMBER},
    ),
    Part(
        "invites_for_you",
        _("Invites made for you"),
        Invite,
        of_person(Invite, "person"),
        (
            time("created_at", _("created")),
            by_whom("created_by", _("by"), "created_by"),
            Told("note", _("note")),
            Told("uses", _("uses")),
            Told("max_uses", _("uses allowed")),
            time("expires_at", _("expires")),
            time("revoked_at", _("revoked")),
        ),
        {
            "id": ROW_NUMBER,
            "person": IS_THEM,
            "digest": "a keyed hash of a secret: the code lets in whoever has it",
            "from_command": "where staff made it",
        },
    ),
    Part(
        "invites_by_you",
        _("Invites you made"),
        Invite,
        of_person(Invite, "created_by"),
        (
            time("created_at", _("created")),
            Told("uses", _("uses")),
            Told("max_uses", _("uses allowed")),
            time("expires_at", _("expires")),
            time("revoked_at", _("revoked")),
        ),
        {"note": "may be about whom it is for", "person": "somebody else"},
    ),
    Part(
        "chosen_models",
        _("Models you chose"),
        ModelChoice,
        of_person(ModelChoice, "user"),
        (Told("bot__slug", _("bot"), "bot"), Told("model", _("model"))),
        {"id": ROW_NUMBER, "user": IS_THEM},
    ),
)
