"""What pages of rows have in common that the system writes: staff look, and act where that is meant."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest

from config.desk.lists import ReadOnlyDeskAdmin
from users.models import User
from users.permissions import Permission, may

logger = logging.getLogger(__name__)


class ReadOnlyAdmin(ReadOnlyDeskAdmin):
    """Rows that come from webhooks and workers: a changed one would tell the worker something that did not happen."""

    list_select_related: tuple[str, ...] = ("bot",)

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may decide what becomes of messages."""
        return may(cast(User, request.user), Permission.MANAGE_MESSAGES)

    def act_on(self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[[Iterable[int]], int]) -> int:
        """Do something to the selected messages, note in the log who did, and return how many it was done to."""
        ids = list(queryset.values_list("pk", flat=True))
        done = act(ids)
        logger.info("staff_action", extra={"action": act.__name__, "staff": request.user.pk, "ids": ids, "done": done})
        return done

    def tell(self, request: HttpRequest, done: int, sentence: str) -> None:
        """Say how many messages something was done to."""
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, sentence % done, level)
