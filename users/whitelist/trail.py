"""Write into the audit log who let whom in, and who blocked whom."""

from collections.abc import Iterable

from users.models import AuditEntry


def note_whitelisted(people: Iterable[int], allowed: bool, *, actor: int | None, via: str) -> None:
    """Note that people (their ids) were put on the whitelist or taken off it.

    actor: the id of the member of staff; None at the terminal. via: as AuditEntry's.
    """
    action = AuditEntry.Action.ALLOWED if allowed else AuditEntry.Action.BLOCKED
    AuditEntry.objects.bulk_create(
        [AuditEntry(action=action, subject=person, actor_id=actor, via=via) for person in people], batch_size=500
    )
