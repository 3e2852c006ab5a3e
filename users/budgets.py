"""Who may change whose daily budget, and the audit log's entries about it.

Admins set those of people who only chat. Their own and those of other staff are for who manages staff.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from users.models import AuditEntry, User
from users.permissions import Permission, may
from users.roles import Role


@dataclass(frozen=True, slots=True)
class BudgetChange:
    """What somebody's daily budget was and is, in micro-dollars; None: the default."""

    person: int
    before: int | None
    after: int | None


def may_set_budget(staff: User, person: User) -> bool:
    """Return whether a member of staff may change a person's daily budget."""
    return person.role == Role.USER or may(staff, Permission.MANAGE_STAFF)


def audit_budgets(changes: Iterable[BudgetChange], *, actor: int | None, via: str) -> None:
    """Note in the audit log who changed which budgets. actor: the member of staff's primary key."""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            action=AuditEntry.Action.BUDGET,
            subject=change.person,
            actor_id=actor,
            via=via,
            details={"before_micros": change.before, "after_micros": change.after},
        )
        for change in changes
        if change.before != change.after
    )
