"""What model calls are paid for."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class UsageKind(models.TextChoices):
    """What was paid for."""

    COMPLETION = "completion", _("Completion")
    TRANSCRIPTION = "transcription", _("Transcription")
