"""The admin's form of a person: each change of their daily budget is in the audit log."""

from typing import Any, cast

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from users.budgets import BudgetChange, audit_budgets
from users.models import User


class BudgetAuditMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Notes each change of a budget that is made on a person's page."""

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        """Save the person, and note what their budget was."""
        known: Any = User.objects.filter(pk=obj.pk).values_list("daily_budget_micros", flat=True)
        before = known.first() if change else None
        super().save_model(request, obj, form, change)
        if not change or "daily_budget_micros" in form.changed_data:
            changed = BudgetChange(obj.pk, before, obj.daily_budget_micros)
            audit_budgets([changed], actor=cast(User, request.user).pk, via="admin")
