"""What every completion cost, and what old ones came to."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage.days import UsageDayQuerySet
from usage.managers import UsageManager


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
    cache_write_tokens = models.PositiveIntegerField(
        _("cache write tokens"),
        default=0,
        db_default=0,
        help_text=_("Input tokens that the provider has written into its cache."),
    )
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


class UsageDay(models.Model):
    """What usage records of one day came to that are not kept any more, without whose they were.

    Written when old records are deleted (usage/retention.py), so that totals stay. calls counts the records, unpriced
    those of them that cost_micros leaves out.
    """

    day = models.DateField(_("day"), help_text=_("In TIME_ZONE, as everywhere."))
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=16, choices=UsageKind.choices)
    model = models.CharField(_("model asked"), max_length=200)
    calls = models.PositiveBigIntegerField(_("calls"))
    input_tokens = models.PositiveBigIntegerField(_("input tokens"))
    cached_input_tokens = models.PositiveBigIntegerField(_("cached input tokens"))
    output_tokens = models.PositiveBigIntegerField(_("output tokens"))
    cost_micros = models.BigIntegerField(_("cost"), help_text=_("In micro-dollars."))
    unpriced = models.PositiveBigIntegerField(_("unpriced"))

    objects = UsageDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of usage")
        verbose_name_plural = _("days of usage")
        constraints = [models.UniqueConstraint(fields=["day", "bot", "kind", "model"], name="usage_day_once")]

    def __str__(self) -> str:
        return f"usage of {self.day}"
