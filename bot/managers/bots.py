"""The bots, as far as they pause and resume."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from bot.models import Bot  # noqa: F401 (named in the queryset's type)


class BotQuerySet(models.QuerySet["Bot"]):
    """The bots."""

    def pause(self, bot_id: int, reason: str, version: datetime) -> bool:
        """Pause a bot and return whether this call did it.

        version: the updated_at of the bot as the caller knows it. One that was saved since (with a new token, say) has
        done nothing wrong yet and is left alone.
        """
        running = self.filter(id=bot_id, paused_at=None, updated_at=version)
        return bool(running.update(paused_at=timezone.now(), pause_reason=reason[:100]))

    def resume(self) -> int:
        """Let paused bots answer again, beginning with what has come in meanwhile; return how many were paused."""
        return self.exclude(paused_at=None).update(paused_at=None, pause_reason="")
