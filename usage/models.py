"""What every completion cost, what a day may still cost, and the operator's own prices."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage.alerts import SpendAlertQuerySet
from usage.managers import UsageManager
from usage.pricing import Price
from usage.spending import DailySpendQuerySet, ReservationQuerySet

DOLLARS_HELP = _("Micro-dollars per million tokens: for $0.20 per million enter 200000.")


class UsageKind(models.TextChoices):
    """What was paid for."""

    COMPLETION = "completion", _("Completion")
    TRANSCRIPTION = "transcription", _("Transcription")


class UsageRecord(models.Model):
    """One call of a model: its tokens and its cost in micro-dollars. Written once; a cost that is known never changes.

    cost_micros is None when the price was not known: that is not the same as free. See usage/repricing.py.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="usage_records",
        db_index=False,
        verbose_name=_("person"),
    )
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=16, choices=UsageKind.choices, default=UsageKind.COMPLETION)
    model = models.CharField(_("model asked"), max_length=200)
    model_answered = models.CharField(_("model that answered"), max_length=200, blank=True, default="")
    input_tokens = models.PositiveIntegerField(_("input tokens"), help_text=_("Cached ones included."))
    cached_input_tokens = models.PositiveIntegerField(_("cached input tokens"), default=0)
    output_tokens = models.PositiveIntegerField(_("output tokens"))
    cost_micros = models.BigIntegerField(
        _("cost"), null=True, blank=True, help_text=_("In micro-dollars. Empty: the price was not known.")
    )
    price = models.JSONField(_("price"), default=dict, blank=True, help_text=_("The price it was computed with."))
    turn_key = models.BigIntegerField(_("turn"), null=True, blank=True)
    # What names this one call: recording it again (a commit whose answer was lost) changes nothing.
    call_id = models.CharField(_("call"), max_length=32, unique=True, null=True, blank=True, editable=False)
    budget_micros = models.BigIntegerField(
        _("counted in budgets"),
        null=True,
        blank=True,
        help_text=_("The cost; while that is not known, what it is taken to be."),
    )
    budget_day = models.DateField(_("budget's day"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, db_index=True)

    objects = UsageManager()

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        indexes = [
            models.Index(fields=["user", "created_at"], name="usage_record_of_user"),
            # Of no size, and nothing to write, where every price is known.
            models.Index(fields=["id"], name="usage_record_unpriced", condition=Q(cost_micros=None)),
        ]

    def __str__(self) -> str:
        return f"usage record {self.pk}"


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


class DailySpend(models.Model):
    """What was spent on one day (in settings.TIME_ZONE), and what turns have reserved.

    By a person with all bots, by everybody with one bot, or by everybody with all bots: neither person nor bot.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="daily_spends",
        db_index=False,
        verbose_name=_("person"),
        help_text=_("Empty: everybody together."),
    )
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="", help_text=_("Empty: all bots together."))
    day = models.DateField(_("day"))
    spent_micros = models.BigIntegerField(_("spent"), default=0)
    reserved_micros = models.BigIntegerField(_("reserved"), default=0)

    objects = DailySpendQuerySet.as_manager()

    class Meta:
        verbose_name = _("daily spend")
        verbose_name_plural = _("daily spends")
        # An expression, because null equals nothing: everybody's row could be there twice. No person has the id 0.
        constraints = [models.UniqueConstraint(Coalesce("user", 0), "bot", "day", name="usage_spend_one_per_day")]

    def __str__(self) -> str:
        return f"spend {self.pk} of {self.day}"


class Reservation(models.Model):
    """What a turn may cost that is being answered: a part of reserved_micros, there until the turn is settled.

    fence is that of the turn's lease: who took the turn over has the greater one, and the reservation is theirs.
    """

    turn_key = models.BigIntegerField(_("turn"), unique=True)
    fence = models.BigIntegerField(_("fence"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reservations",
        db_index=False,
        verbose_name=_("person"),
    )
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="")
    day = models.DateField(_("day"))
    amount_micros = models.BigIntegerField(_("amount"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")

    def __str__(self) -> str:
        return f"reservation of turn {self.turn_key}"


class SpendAlert(models.Model):
    """The highest share of a day's budget that an alert was raised for: whoever raises it first is the only one."""

    bot = models.CharField(_("bot"), max_length=50, blank=True, default="", help_text=_("Empty: everybody's budget."))
    day = models.DateField(_("day"))
    percent = models.PositiveSmallIntegerField(_("percent"))
    raised_at = models.DateTimeField(_("raised"), default=timezone.now)

    objects = SpendAlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("budget alert")
        verbose_name_plural = _("budget alerts")
        constraints = [models.UniqueConstraint(fields=["bot", "day"], name="usage_alert_one_per_day")]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.day}"
