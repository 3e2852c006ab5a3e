"""What days have cost, what turns have reserved of them, and what was said of it."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from usage.alerts import SpendAlertQuerySet
from usage.spending import DailySpendQuerySet, ReservationQuerySet


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
        # A day's rows are found by it. The sums are not in it, so that they change in place.
        indexes = [models.Index(fields=["day", "user"], name="usage_spend_of_day")]

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
