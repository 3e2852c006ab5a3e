"""The operator's own prices."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from usage.pricing import Price

DOLLARS_HELP = _("Micro-dollars per million tokens: for $0.20 per million enter 200000.")


class ModelPrice(models.Model):
    """What a model costs from a day on; overrides the bundled prices."""

    model = models.CharField(_("model"), max_length=200, help_text=_("As the provider or your bots name it."))
    valid_from = models.DateField(_("valid from"), help_text=_("The newest price that is not in the future counts."))
    input_micros_per_million = models.BigIntegerField(
        _("input"), validators=[MinValueValidator(0)], help_text=DOLLARS_HELP
    )
    cached_input_micros_per_million = models.BigIntegerField(
        _("cached input"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("The same for input the provider had cached. Empty: as other input."),
    )
    output_micros_per_million = models.BigIntegerField(
        _("output"), validators=[MinValueValidator(0)], help_text=DOLLARS_HELP
    )

    class Meta:
        verbose_name = _("model price")
        verbose_name_plural = _("model prices")
        constraints = [models.UniqueConstraint(fields=["model", "valid_from"], name="usage_price_one_per_model_day")]

    def __str__(self) -> str:
        return f"{self.model} from {self.valid_from}"

    def as_price(self) -> Price:
        """Return the row as the price to compute with."""
        return Price(
            input_micros_per_million=self.input_micros_per_million,
            output_micros_per_million=self.output_micros_per_million,
            cached_input_micros_per_million=self.cached_input_micros_per_million,
            source=f"own price from {self.valid_from}",
        )
