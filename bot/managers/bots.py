"""The bots, as far as they pause and resume, and the models that people have chosen for their chats with them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from bot.errors import ErrorCode

if TYPE_CHECKING:
    from bot.models import Bot, ModelChoice  # noqa: F401 (named in the querysets' types)

# A bot's id and a person's.
Chooser = tuple[int, int]


class BotQuerySet(models.QuerySet["Bot"]):
    """The bots."""

    def for_people(self) -> BotQuerySet:
        """Return the bots that people may meet: no previews."""
        return self.filter(preview_of=None)

    def refused(self) -> BotQuerySet:
        """Return those that have paused by themselves, because their provider refuses the token or the account."""
        return self.filter(paused_at__isnull=False, pause_reason__startswith=f"{ErrorCode.CHANNEL_ERROR}:")

    def pause(self, bot_id: int, reason: str, version: datetime) -> bool:
        """Pause a bot and return whether this call did it.

        version: the updated_at of the bot as the caller knows it. One that was saved since (with a new token, say) has
        done nothing wrong yet and is left alone.
        """
        running = self.filter(id=bot_id, paused_at=None, updated_at=version)
        return bool(running.update(paused_at=timezone.now(), pause_reason=reason[:100]))

    def pause_by_hand(self, reason: str) -> int:
        """Pause those that are not paused yet, because staff want it; return how many they were."""
        return self.filter(paused_at=None).update(paused_at=timezone.now(), pause_reason=reason[:100])

    def resume(self) -> int:
        """Let paused bots answer again, beginning with what has come in meanwhile; return how many were paused."""
        return self.exclude(paused_at=None).update(paused_at=None, pause_reason="")


class ModelChoiceQuerySet(models.QuerySet["ModelChoice"]):
    """Who has chosen which model."""

    def of_many(self, choosers: Iterable[Chooser]) -> dict[Chooser, str]:
        """Return the model that each has chosen who has chosen one. One query; none without choosers."""
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
