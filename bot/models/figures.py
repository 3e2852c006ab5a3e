"""What days came to, kept after the messages they count are gone."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.managers.figures import DailyFiguresQuerySet


class DailyFigures(models.Model):
    """What one day (in settings.TIME_ZONE) came to, with one bot or with all of them; of no person.

    Written while the day goes on and once it is over (bot/operations/figures/folding.py).
    The ids are of the first and the last
    message of the day, so that its list is read by the primary key: the inbox and the outbox have no index on times.
    """

    day = models.DateField(_("day"))
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="", help_text=_("Empty: all bots together."))
    # False: it was counted while it went on.
    is_over = models.BooleanField(default=True)
    counted_at = models.DateTimeField(default=timezone.now)
    # False: the messages were gone before the day was summed up. What was spent is known longer.
    has_messages = models.BooleanField(default=True)
    received = models.PositiveBigIntegerField(default=0)
    answered = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    people = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    unsent = models.PositiveBigIntegerField(default=0)
    median_ms = models.PositiveBigIntegerField(null=True)
    p95_ms = models.PositiveBigIntegerField(null=True)
    # {error code: messages} and {model: micro-dollars}.
    failures = models.JSONField(default=dict)
    costs = models.JSONField(default=dict)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)
    first_inbound = models.BigIntegerField(null=True)
    last_inbound = models.BigIntegerField(null=True)
    first_outbound = models.BigIntegerField(null=True)
    last_outbound = models.BigIntegerField(null=True)

    objects = DailyFiguresQuerySet.as_manager()

    class Meta:
        verbose_name = _("figures of a day")
        verbose_name_plural = _("figures of days")
        # No page of the admin shows or changes them one by one.
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["bot", "day"], name="daily_figures_once")]

    def __str__(self) -> str:
        return f"figures of {self.day}"
