"""Retention of people: identities, invites, whitelist, and tombstones of erased people."""

from datetime import timedelta

from django.utils import timezone

from bot.privacy.retention.entry import Counts, Entry, Step, days, deletes
from bot.privacy.retention.made_up import left_over_since
from bot.privacy.retention.messages import EXPORTED_AND_ERASED
from bot.privacy.retention.periods import AUDIT_DAYS, SIMULATED_DAYS, TOMBSTONE_DAYS
from config.db.batches import Progress
from users.invites import KEPT_DAYS
from users.models import AuditEntry, Identity, Invite, Tombstone, User


def drop_simulated(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
    """Delete simulated people with their dependent rows."""
    left = left_over_since(timezone.now() - period)
    return {"simulated_people": left.count() if dry_run else sum(bool(person.delete()[0]) for person in left)}


PEOPLE = (
    Entry(
        model=User,
        holds="A person: phone number, name, role, whether they may talk to the bots, their budget, when they last "
        "wrote; of staff a hash of the password and the last sign-in.",
        why="Who may talk to the bots, and who may do what.",
        steps=(
            Step(
                "who was made up in the simulator to be over budget",
                days(SIMULATED_DAYS),
                "somebody wrote as them last",
                drop_simulated,
                "simulated_people",
            ),
        ),
        stays="until the person is deleted or erased",
        personal=("phone_number", "name", "role", "password"),
        rights=f"{EXPORTED_AND_ERASED}; the password's hash is not exported",
    ),
    Entry(
        model=Identity,
        holds="How a channel names a person: a number, or an id of the provider's.",
        why="Who has changed their number, or hides it, is still the same person.",
        stays="with the person",
        personal=("user", "address"),
        other=("channel",),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=User.groups.through,
        holds="Who is in which group of the admin's.",
        why="Comes with Django. Parley's rights follow from roles; it makes no groups.",
        stays="with the person",
        personal=("user",),
        rights="erased",
    ),
    Entry(
        model=User.user_permissions.through,
        holds="Who has which right of the admin's on their own.",
        why="Comes with Django. Parley's rights follow from roles; it gives none.",
        stays="with the person",
        personal=("user",),
        rights="erased",
    ),
    Entry(
        model=Invite,
        holds="A keyed hash of a code that lets somebody in: for whom, made by whom, the maker's note.",
        why="Afterwards staff see who came in by which.",
        steps=(
            deletes(
                "invites",
                days(KEPT_DAYS),
                "it was used up, expired or was revoked",
                lambda cutoff: Invite.objects.ended_before(cutoff),
            ),
        ),
        personal=("person", "created_by", "note"),
        other=("digest", "from_command"),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=Tombstone,
        holds="That an address was erased, or has changed hands, as a keyed hash that is of no use without "
        "`SECRET_KEY`.",
        why="A late redelivery does not bring an erased person back.",
        steps=(
            deletes(
                "tombstones",
                days(TOMBSTONE_DAYS),
                "the erasure or the change, which is longer than any provider delivers again",
                lambda cutoff: Tombstone.objects.filter(erased_at__lt=cutoff),
            ),
        ),
        personal=("digest",),
        rights="what an erasure leaves behind; nobody can be found by it, so it is not exported",
    ),
    Entry(
        model=AuditEntry,
        holds="That somebody was exported, erased or looked at: when, by whom, counts. No content, no number.",
        why="To show that it was done, and who has read.",
        steps=(
            deletes(
                "audit_entries",
                days(AUDIT_DAYS),
                "it happened",
                lambda cutoff: AuditEntry.objects.filter(at__lt=cutoff),
            ),
        ),
        personal=("subject", "actor", "details"),
        other=("action", "via"),
        rights="stays after an erasure, as the proof of it; of the person it has an id that then means nobody",
    ),
)
