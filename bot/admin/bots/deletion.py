"""What ends with a bot, counted as far as that is quick; when its deletion is refused; and that a slug is clean."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bot.admin.bots.connection import ConnectionAdmin
from bot.models import Bot, InboundMessage
from conversations.models import Conversation

# More are for the daily purge, which leaves others their turn: a request has a minute.
MOST_DELETED = 10_000


class DeletionAdmin(ConnectionAdmin):
    """The part of the bots' admin that deletes one of them."""

    delete_confirmation_template = "admin/bot/bot/delete.html"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out Django's own deletion of several: bots are deleted one by one, from their pages."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_model(self, request: HttpRequest, obj: Bot) -> None:
        """Delete a bot, and let what it remembers end: conversations know it by its slug, which another may get."""
        slugs = [obj.slug, *Bot.objects.filter(preview_of=obj).values_list("slug", flat=True)]
        with transaction.atomic():
            super().delete_model(request, obj)
            Conversation.objects.of_bots(slugs).expire()

    def save_model(self, request: HttpRequest, obj: Bot, form: Any, change: bool) -> None:
        """Save a bot. Under a slug that is new to it, it remembers nothing of another bot that was called so."""
        super().save_model(request, obj, form, change)
        if not change or "slug" in form.changed_data:
            Conversation.objects.of_bots([obj.slug]).expire()

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """Return what goes, without reading a million messages; and what keeps it from going."""
        rows: list[str] = []
        reasons: list[str] = []
        for bot in objs:
            rows += self._rows(bot)
            reasons += self._reasons(bot)
        return rows, {}, set(), reasons

    def _rows(self, bot: Bot) -> list[str]:
        count = self._messages(bot)
        message = ngettext(
            "%(count)d message of the last days, with what became of it",
            "%(count)d messages of the last days, with what became of them",
            count,
        )
        return [
            _("the bot %(bot)s, its prompt and its credentials") % {"bot": bot},
            message % {"count": count},
            _("access requests made to it, and the models that people have chosen in it"),
        ]

    def _reasons(self, bot: Bot) -> list[str]:
        waiting = InboundMessage.objects.filter(bot=bot, state=InboundMessage.State.PENDING)[:MOST_DELETED].count()
        if waiting:
            reason = ngettext(
                "%d message waits for an answer: let it be answered first (resume the bot if it is paused).",
                "%d messages wait for an answer: let them be answered first (resume the bot if it is paused).",
                waiting,
            )
            return [reason % waiting]
        if self._messages(bot) > MOST_DELETED:
            many = _(
                "It has had more than %(most)d messages in the last 8 days. Make it inactive: it takes no more, "
                "the daily purge deletes those that are older than 8 days, and then it can be deleted."
            )
            return [many % {"most": MOST_DELETED}]
        return []

    @staticmethod
    def _messages(bot: Bot) -> int:
        return InboundMessage.objects.filter(bot=bot)[: MOST_DELETED + 1].count()
