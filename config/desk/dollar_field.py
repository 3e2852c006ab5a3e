"""Money in forms: people enter dollars, and micro-dollars are stored. Nothing is rounded."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from config.desk.money import MICROS, plain

DECIMALS = 6
# Below what a 64-bit column holds.
DIGITS = 18


class DollarField(forms.DecimalField):
    """Takes an amount of dollars, from nothing up and with at most six decimals; its value is whole micro-dollars."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "prefix": "$", "class": "pl-9"})
        super().__init__(
            **{"min_value": 0, "max_digits": DIGITS, "decimal_places": DECIMALS, "widget": widget, **kwargs}
        )

    def prepare_value(self, value: Any) -> Any:
        """Return stored micro-dollars as dollars, and what somebody typed as it is."""
        return plain(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Return micro-dollars, or None where nothing was typed."""
        dollars = super().clean(value)
        return None if dollars is None else int(dollars * MICROS)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether another amount was typed: 0.5 and 0.50 are the same."""
        return super().has_changed(Decimal(initial) / MICROS if isinstance(initial, int) else initial, data)
