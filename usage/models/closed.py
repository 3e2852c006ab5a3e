"""What past days' records come to, kept so that a report of months reads one row a day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from usage.closing import ClosedDayQuerySet


class ClosedDay(models.Model):
    """The sums of the usage records of one day that is over, by bot, kind and model: never more than a copy.

    Written when a report asks for the day, deleted in the transaction that changes its records. (UsageDay has the sums
    of records that are not kept any more.)
    """

    day = models.DateField(_("day"), unique=True, help_text=_("In TIME_ZONE, as everywhere."))
    # Whose midnight it was: another TIME_ZONE has other days. Empty: being summed up.
    zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")
    lines = models.JSONField(_("sums"), default=list, blank=True)

    objects = ClosedDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("closed day")
        verbose_name_plural = _("closed days")

    def __str__(self) -> str:
        return f"sums of {self.day}"
