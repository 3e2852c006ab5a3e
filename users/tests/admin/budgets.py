"""Change budgets."""

from typing import Any

from users.models import AuditEntry, User


def entries() -> list[Any]:
    found = AuditEntry.objects.filter(action=AuditEntry.Action.BUDGET).order_by("id")
    return list(found.values_list("subject", "actor", "via", "details"))


def budget_of(person: User) -> int | None:
    return User.objects.get(pk=person.pk).daily_budget_micros
