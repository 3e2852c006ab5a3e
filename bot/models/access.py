"""Access requests of people who are not whitelisted."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.models.bots import Bot
from bot.models.columns import ADDRESS_LENGTH


class AccessRequest(models.Model):
    """A person who wrote to a bot without being whitelisted: one row each, however much they write."""

    bot = models.ForeignKey(Bot, models.CASCADE, related_name="access_requests")
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    profile_name = models.CharField(_("profile name"), max_length=100, blank=True, default="")
    messages = models.PositiveIntegerField(_("messages"), default=0)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now, db_index=True)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)

    class Meta:
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        constraints = [models.UniqueConstraint(fields=["bot", "address"], name="access_request_once")]

    def __str__(self) -> str:
        return f"{self.bot_id} {self.pk}"
