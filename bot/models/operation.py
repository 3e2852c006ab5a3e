"""Heartbeats of processes, and the counters of metrics."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PROCESS_NAME_LENGTH = 100


class Heartbeat(models.Model):
    """A running process: one row each, renewed while it lives, deleted at a clean shutdown."""

    class Kind(models.TextChoices):
        WORKER = "worker", _("worker")
        SCHEDULER = "scheduler", _("scheduler")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    process = models.CharField(_("process"), max_length=PROCESS_NAME_LENGTH, unique=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")

    def __str__(self) -> str:
        return f"{self.kind} {self.process}"


class Counter(models.Model):
    """One sample of a counter: the sum over all processes, which add to it.

    labels: a JSON object with sorted keys, so that equal labels are equal texts. value: an integer, seconds and dollars
    in millionths.
    """

    name = models.CharField(_("name"), max_length=60)
    labels = models.CharField(_("labels"), max_length=500, default="{}")
    value = models.BigIntegerField(_("value"), default=0)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="counter_once")]

    def __str__(self) -> str:
        return f"{self.name}{self.labels} {self.value}"
