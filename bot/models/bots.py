"""Bots: their settings, and the queryset that pauses and resumes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.ai.effort import Effort
from bot.errors import ErrorCode
from bot.models.encryption import EncryptedJSONField

MODEL_LENGTH = 100
REASONING = (
    (Effort.SERVER.value, _("as the model's server does by itself")),
    (Effort.NONE.value, _("none")),
    (Effort.MINIMAL.value, _("minimal")),
    (Effort.LOW.value, _("low")),
    (Effort.MEDIUM.value, _("medium")),
    (Effort.HIGH.value, _("high")),
)


def channel_choices() -> list[tuple[str, Any]]:
    """Return the channels a bot may use. Late import: models load without adapters."""
    from bot.channels import registry

    return registry.choices()


class BotQuerySet(models.QuerySet["Bot"]):
    """The bots."""

    def for_people(self) -> BotQuerySet:
        """Exclude previews: keep the bots that people may meet."""
        return self.filter(preview_of=None)

    def refused(self) -> BotQuerySet:
        """Keep bots that paused automatically, because their provider refuses the token or the account."""
        return self.filter(paused_at__isnull=False, pause_reason__startswith=f"{ErrorCode.CHANNEL_ERROR}:")

    def pause(self, bot_id: int, reason: str, version: datetime) -> bool:
        """Pause a bot and return whether this call did it.

        version: updated_at of the bot as the caller knows it. A bot that was saved since, perhaps with a new token, is
        left alone.
        """
        running = self.filter(id=bot_id, paused_at=None, updated_at=version)
        return bool(running.update(paused_at=timezone.now(), pause_reason=reason[:100]))

    def pause_by_hand(self, reason: str) -> int:
        """Pause running bots by decision of staff; return how many."""
        return self.filter(paused_at=None).update(paused_at=timezone.now(), pause_reason=reason[:100])

    def resume(self) -> int:
        """Resume paused bots, which answer what has arrived meanwhile; return how many were paused."""
        return self.exclude(paused_at=None).update(paused_at=None, pause_reason="")


class Bot(models.Model):
    """One configured assistant on one channel, with a webhook URL of its own.

    A paused bot accepts messages and answers none; the webhook URL of an inactive bot does not exist. A preview is a
    console bot that tries another bot's prompt in the simulator, before people get it.
    """

    slug = models.SlugField(_("slug"), max_length=50, unique=True, help_text=_("Part of the webhook URL."))
    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(_("channel"), max_length=20, choices=channel_choices)
    is_active = models.BooleanField(_("active"), default=True)
    account_id = models.CharField(
        _("account id"),
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^[\w.+-]*$", _("Letters, digits and . + - _ only."))],
        help_text=_("What the provider calls the account: for WhatsApp the phone number id."),
    )
    credentials = EncryptedJSONField(_("credentials"), default=dict, blank=True, editable=False)
    system_prompt = models.TextField(
        _("system prompt"),
        blank=True,
        default="You are a helpful assistant. Answer briefly and in the person's language.",
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        default="",
        choices=settings.LANGUAGES,
        help_text=_("Of the bot's own sentences; the model answers as its prompt says. Empty: DEFAULT_LANGUAGE."),
    )
    model = models.CharField(_("model"), max_length=MODEL_LENGTH, blank=True, help_text=_("Empty: OPENAI_GPT_MODEL."))
    reasoning_effort = models.CharField(
        _("reasoning"),
        max_length=10,
        blank=True,
        default=Effort.AUTO.value,
        choices=REASONING,
        help_text=_(
            "How much a model reasons before it answers, which costs time and tokens. Empty: as little as it takes for "
            "OpenAI's models; other servers are sent nothing. A model that does not take the choice gets the next one "
            "above, or none."
        ),
    )
    allowed_models = models.TextField(
        _("models to choose from"),
        blank=True,
        default="",
        help_text=_("One on each line: what people may choose with /model, besides the bot's own. Empty: no choice."),
    )
    daily_budget_micros = models.BigIntegerField(
        _("daily budget"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("What the bot may cost in a day, in micro-dollars (1,000,000 are one dollar). Empty: no limit."),
    )
    user_daily_budget_micros = models.BigIntegerField(
        _("daily budget of each person"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In micro-dollars, of those who have none of their own. Empty: USER_DAILY_BUDGET_USD."),
    )
    rate_limit_per_minute = models.PositiveIntegerField(
        _("messages a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("Of each person. Empty: RATE_LIMIT_PER_USER."),
    )
    contact = models.CharField(
        _("contact"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("What people write to, for links that invite them: for WhatsApp the bot's phone number."),
    )
    burst_wait_seconds = models.PositiveSmallIntegerField(
        _("burst wait"),
        default=0,
        validators=[MaxValueValidator(30)],
        help_text=_("Seconds to wait for the rest of several quick messages before answering them together."),
    )
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True, editable=False)
    pause_reason = models.CharField(_("why paused"), max_length=100, blank=True, default="", editable=False)
    tells_strangers = models.BooleanField(
        _("tells strangers"), default=True, help_text=_("One polite reply a day to people who are not whitelisted.")
    )
    preview_of = models.OneToOneField(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="preview",
        verbose_name=_("preview of"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = BotQuerySet.as_manager()

    class Meta:
        verbose_name = _("bot")
        verbose_name_plural = _("bots")
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name or self.slug

    def clean(self) -> None:
        """Reject an account id that the channel has no use for, and a model that nobody could choose by name."""
        self._clean_account_id()
        if any(len(name) > MODEL_LENGTH for name in self.models_to_choose()):
            problem = _("A model's name has at most %(most)d characters. Enter one model on each line.")
            raise ValidationError({"allowed_models": ValidationError(problem, params={"most": MODEL_LENGTH})})

    def _clean_account_id(self) -> None:
        from bot.channels.registry import CHANNELS

        channel = CHANNELS.get(self.channel)
        if channel is None:
            return
        try:
            self.account_id = channel.read_account_id(self.account_id)
        except ValueError as error:
            raise ValidationError({"account_id": ValidationError(str(error), code="invalid")}) from None

    @property
    def was_refused(self) -> bool:
        """Whether it paused automatically, because its provider refuses the token or the account, and not by staff."""
        return self.paused_at is not None and self.pause_reason.startswith(f"{ErrorCode.CHANNEL_ERROR}:")

    def models_to_choose(self) -> tuple[str, ...]:
        """Return the distinct models that people may choose, in the order they were entered."""
        return tuple(dict.fromkeys(name for line in self.allowed_models.splitlines() if (name := line.strip())))
