"""The form of a price: in dollars for a million tokens, as providers state it."""

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from config.desk.dollar_field import DollarField
from usage.models import ModelPrice

if TYPE_CHECKING:
    PriceModelForm = forms.ModelForm[ModelPrice]
else:
    PriceModelForm = forms.ModelForm

PER_MILLION = _("Dollars for a million tokens, such as 0.20.")


class ModelPriceForm(PriceModelForm):
    """Takes dollars; micro-dollars are stored."""

    input_micros_per_million = DollarField(label=_("Input"), help_text=PER_MILLION)
    cached_input_micros_per_million = DollarField(
        label=_("Cached input"),
        required=False,
        help_text=_("The same for input the provider had cached. Empty: as other input."),
    )
    output_micros_per_million = DollarField(label=_("Output"), help_text=PER_MILLION)

    class Meta:
        model = ModelPrice
        fields = (
            "model",
            "valid_from",
            "input_micros_per_million",
            "cached_input_micros_per_million",
            "output_micros_per_million",
        )
