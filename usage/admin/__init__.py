"""Usage in the admin: a report and its records to look at, what days have cost, and prices to edit."""

from usage.admin.prices import ModelPriceAdmin
from usage.admin.records import UsageRecordAdmin

__all__ = ["ModelPriceAdmin", "UsageRecordAdmin"]
