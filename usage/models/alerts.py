"""Alerts: the share of a day's budget that the owners were told of, each once a day, decided by the database."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows


class SpendAlertQuerySet(models.QuerySet["SpendAlert"]):
    """What was raised."""

    def claim(self, bot: str, day: date, percent: int) -> bool:
        """Note that a share is reached; return whether it is ours to say so: nobody has said it, nor a higher one.

        One statement, so that of many processes one is told yes. Until its transaction ends the others wait.
        """
        raised = insert_rows(
            self.model,
            [{"bot": bot, "day": day.isoformat(), "percent": percent, "raised_at": timezone.now()}],
            on_conflict=(
                "(bot, day) DO UPDATE SET percent = excluded.percent, raised_at = excluded.raised_at "
                "WHERE usage_spendalert.percent < excluded.percent"
            ),
            returning=("percent",),
        )
        return bool(raised)


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
