"""Keep keyed hashes of the codes of invites in place of the codes, which go on working."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone
from django.utils.crypto import salted_hmac

ROWS_AT_ONCE = 1_000
# How `make seed` marks its invites: in the code (no real one has an O), and in what stands in its place.
SEEDED_CODE, SEEDED_DIGEST = "DEMO", "demo-invite-"
OLD_LENGTH = 32


def hash_codes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Replace each code by its hash. Codes of made-up invites, which are for looking at, do not go on working."""
    for invites, invite in _each(apps, schema_editor):
        hashed = salted_hmac("users.invites", invite.digest, algorithm="sha256").hexdigest()
        if invite.digest.startswith(SEEDED_CODE):
            hashed = f"{SEEDED_DIGEST}{hashed}"[:64]
        invites.filter(pk=invite.pk).update(digest=hashed)
    # Without a maker are those of the terminal, which go on working, and of makers who are gone. Which one, no row
    # tells: for staff neither is believed.
    known = apps.get_model("users", "Invite")._default_manager.using(schema_editor.connection.alias)
    known.filter(created_by=None, person__is_staff=False).update(from_command=True)


def end_invites(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Revoke every invite: nothing brings the codes back, and what stands in their place lets nobody in."""
    for invites, invite in _each(apps, schema_editor):
        seeded = invite.digest.startswith(SEEDED_DIGEST)
        kept = invite.digest.replace(SEEDED_DIGEST, SEEDED_CODE) if seeded else invite.digest
        invites.filter(pk=invite.pk).update(digest=kept[:OLD_LENGTH], revoked_at=invite.revoked_at or timezone.now())


def _each(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> Any:
    invites = apps.get_model("users", "Invite")._default_manager.using(schema_editor.connection.alias)
    last = 0
    # (In steps by id, because rows that a cursor still reads are not to be changed.)
    while found := list(invites.filter(pk__gt=last).order_by("pk")[:ROWS_AT_ONCE]):
        for invite in found:
            yield invites, invite
        last = found[-1].pk


class Migration(migrations.Migration):

    dependencies = [
        ("users", "0006_audit_actions"),
    ]

    operations = [
        migrations.RenameField("invite", "code", "digest"),
        migrations.AlterField(
            "invite",
            "digest",
            models.CharField(editable=False, max_length=64, unique=True, verbose_name="keyed hash of the code"),
        ),
        migrations.AddField(
            "invite",
            "from_command",
            models.BooleanField(default=False, editable=False, verbose_name="made at the terminal"),
        ),
        # Reversed, every invite is revoked: the codes cannot be had back.
        migrations.RunPython(hash_codes, end_invites),
    ]
