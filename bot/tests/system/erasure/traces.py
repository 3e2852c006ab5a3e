"""What staff and tasks leave behind that names a person: the admin's history, sessions, rows of tasks."""

import json
import uuid
from datetime import timedelta

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from bot.models import ModelChoice
from bot.tests.system.erasure.canaries import Canaries
from bot.tests.system.erasure.world import World
from conversations.models import Conversation
from usage.models import DailySpend
from users.models import AuditEntry, Identity, Invite, User

# What a page of the admin can change, and so has a history, of what has the person for its person.
IN_HISTORY = (Identity, Conversation, ModelChoice, DailySpend, Invite)


def make_traces(world: World, person: User, canaries: Canaries) -> None:
    """Let the person be a member of staff, and others have acted on them."""
    make_groups(person)
    make_history(world, person, canaries)
    make_sessions(world, person)
    make_tasks()
    make_audit(world, person)
    for code, note, maker in (
        ("BYTHEM", "for a friend", person),
        ("BYOTHERS", f"asked for by {canaries.number}", world.owner),
    ):
        until = timezone.now() + timedelta(days=1)
        Invite.objects.create(digest=f"{code}{canaries.mark}", note=note, created_by=maker, expires_at=until)


def make_groups(person: User) -> None:
    """Give them what nobody is given: the tables are there."""
    person.groups.add(Group.objects.get_or_create(name="a group")[0])
    person.user_permissions.add(Permission.objects.order_by("pk")[0])


def make_history(world: World, person: User, canaries: Canaries) -> None:
    """Let the admin's history tell of them, of every row of theirs that it shows, and of what they did themselves."""
    for target in [person, *(row for row in rows_of(person) if type(row) in IN_HISTORY)]:
        for flag in (CHANGE, DELETION):
            _log(world.owner, target, flag, canaries)
    _log(person, world.bots[0], CHANGE, canaries)


def rows_of(person: User) -> list[models.Model]:
    """Return the rows that have the person for their person."""
    found: list[models.Model] = []
    for relation in User._meta.related_objects:
        model = relation.related_model
        assert isinstance(model, type)
        if model is not LogEntry:
            found += model._base_manager.filter(**{relation.field.name: person})
    return found


def _log(by: User, target: models.Model, flag: int, canaries: Canaries) -> None:
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(target),
        object_id=str(target.pk),
        object_repr=canaries.say("is shown"),
        action_flag=flag,
        change_message=json.dumps([{"changed": {"name": "identity", "object": canaries.say("is logged")}}]),
    )


def make_sessions(world: World, person: User) -> None:
    """Let them be signed in, and somebody else; each once more in a session that has ended."""
    for user, seconds in ((person, 3_600), (person, -3_600), (world.owner, 3_600), (world.owner, -3_600)):
        session = SessionStore()
        session["_auth_user_id"] = str(user.pk)
        session.set_expiry(seconds)
        session.create()


def make_tasks() -> None:
    """Let one have failed and one wait, as the scheduler's do."""
    common = {"name": "purge expired data", "func": "bot.operations.schedules.purge"}
    result = "TaskFailed: not purged: users; the log says why, at purge_failed"
    times = {"started": timezone.now(), "stopped": timezone.now(), "success": False}
    Task.objects.create(id=uuid.uuid4().hex, result=result, **common, **times)
    task = {"id": uuid.uuid4().hex, **common, "args": (), "kwargs": {}}
    OrmQ.objects.create(key="parley", payload=SignedPackage.dumps(task), lock=timezone.now())


def make_audit(world: World, person: User) -> None:
    """Let somebody have looked at them, and them at somebody."""
    AuditEntry.objects.create(action="read", subject=person.pk, actor=world.owner, via="admin", details={"rows": 1})
    AuditEntry.objects.create(action="read", subject=world.owner.pk, actor=person, via="admin", details={"rows": 2})


def edit_in_admin(client: Client, person: User, canaries: Canaries) -> None:
    """Act on the person in the admin as its pages do; at last they have their name again. client: an owner's."""
    for name in (canaries.say("renamed"), canaries.word):
        _import(client, f"phone_number,name\r\n{canaries.number},{canaries.say('imported')}\r\n".encode())
        _rename(client, person, name)
    exported = b"".join(client.get(f"/admin/users/user/export/?q={canaries.number}"))
    assert canaries.number.encode() in exported
    until = timezone.now() + timedelta(days=2)
    invite = {"person": person.pk, "note": canaries.say("is invited"), "max_uses": 1}
    invite |= {"expires_at_0": until.date().isoformat(), "expires_at_1": "12:00:00"}
    assert client.post("/admin/users/invite/add/", invite).context["invite"].pk


def _rename(client: Client, person: User, name: str) -> None:
    page = f"/admin/users/user/{person.pk}/change/"
    context = client.get(page).context
    form = context["adminform"].form
    data = {field: form.initial.get(field) or "" for field in ("phone_number", "role", "daily_budget_micros")}
    for inline in context["inline_admin_formsets"]:
        for one in (inline.formset.management_form, *inline.formset.initial_forms):
            data |= {one.add_prefix(field): one.initial.get(field) or "" for field in one.fields}
        for one in inline.formset.initial_forms:
            data |= {one.add_prefix("id"): one.instance.pk, one.add_prefix("user"): person.pk}
    assert client.post(page, {**data, "name": name, "is_whitelisted": "on"}).status_code == 302
    person.refresh_from_db()
    assert person.name == name


def _import(client: Client, csv: bytes) -> None:
    preview = client.post("/admin/users/user/import/", {"file": SimpleUploadedFile("people.csv", csv)})
    kept = preview.context["kept"]
    assert kept, (preview.context["errors"].first, preview.context["tallies"])
    assert client.post("/admin/users/user/import/apply/", {"people": kept}).status_code == 302
