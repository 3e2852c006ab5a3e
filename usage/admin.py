"""Usage in the admin: a report and its records to look at, what days have cost, and prices to edit."""

from usage.price_admin import ModelPriceAdmin
from usage.record_admin import UsageRecordAdmin

__all__ = ["ModelPriceAdmin", "UsageRecordAdmin"]
