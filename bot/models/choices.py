"""People's choices of a model for their chats with a bot."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bot.models.bots import MODEL_LENGTH, Bot

# A bot's id and a person's.
Chooser = tuple[int, int]


class ModelChoiceQuerySet(models.QuerySet["ModelChoice"]):
    """Choices of models."""

    def of_many(self, choosers: Iterable[Chooser]) -> dict[Chooser, str]:
        """Return {chooser: model} of those who have chosen one, in one query; none without choosers."""
        wanted = set(choosers)
        if not wanted:
            return {}
        bots, people = zip(*wanted, strict=True)
        rows = self.filter(bot_id__in=set(bots), user_id__in=set(people)).values_list("bot_id", "user_id", "model")
        return {(bot, person): model for bot, person, model in rows if (bot, person) in wanted}

    def choose(self, bot_id: int, user_id: int, model: str) -> None:
        """Remember a person's choice for their chats with a bot."""
        self.update_or_create(bot_id=bot_id, user_id=user_id, defaults={"model": model})

    def choose_default(self, bot_id: int, user_id: int) -> None:
        """Forget a person's choice: the bot's own model answers again."""
        self.filter(bot_id=bot_id, user_id=user_id).delete()


class ModelChoice(models.Model):
    """The model a person has chosen for their chats with a bot, among those that it allows."""

    bot = models.ForeignKey(Bot, models.CASCADE, related_name="model_choices", verbose_name=_("bot"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="model_choices", verbose_name=_("person")
    )
    model = models.CharField(_("model"), max_length=MODEL_LENGTH)

    objects = ModelChoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("chosen model")
        verbose_name_plural = _("chosen models")
        constraints = [models.UniqueConstraint(fields=["bot", "user"], name="model_choice_once")]

    def __str__(self) -> str:
        return f"{self.bot_id} {self.pk}"
