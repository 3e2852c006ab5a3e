"""The repository's two operations for many conversations at once: a worker begins and ends many turns together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from config.rows import insert_rows
from conversations.managers import next_expiry, storable
from conversations.models import Conversation, Message

# Who a conversation belongs to: (user id, bot slug).
Owner = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Said:
    """One remembered message as a model is shown it."""

    role: str
    content: str


def recent_of_many(owners: Sequence[Owner], limit: int) -> dict[Owner, list[Said]]:
    """Return the last `limit` (1 or more) messages of each conversation, oldest first; none of an expired one.

    One query, whatever the number of conversations.
    """
    if not owners:
        return {}
    newest_first = Window(RowNumber(), partition_by=F("conversation_id"), order_by=F("id").desc())
    rows = (
        Message.objects.filter(
            conversation__user_id__in={user_id for user_id, _ in owners},
            conversation__bot__in={bot for _, bot in owners},
            conversation__expires_at__gt=timezone.now(),
        )
        .annotate(age=newest_first)
        .filter(age__lte=limit)
        .order_by("id")
        .values_list("conversation__user_id", "conversation__bot", "role", "content")
    )
    wanted = set(owners)
    recent: dict[Owner, list[Said]] = defaultdict(list)
    for user_id, bot, role, content in rows:
        if (user_id, bot) in wanted:
            recent[user_id, bot].append(Said(role, content))
    return recent


@transaction.atomic(savepoint=False)
def remember_many(said: Sequence[tuple[Owner, Sequence[Said]]]) -> None:
    """Append to each owner's conversation and put its end off; an expired one starts again, empty.

    One transaction, or a part of the caller's. Conversations are locked in sorted order: two workers can't deadlock.
    """
    if not said:
        return
    now = timezone.now()
    owners = sorted({owner for owner, _ in said})
    _empty_expired(owners)
    expires_at = next_expiry(now)
    rows = insert_rows(
        Conversation,
        [{"user_id": user_id, "bot": bot, "expires_at": expires_at} for user_id, bot in owners],
        on_conflict="(user_id, bot) DO UPDATE SET expires_at = excluded.expires_at",
        returning=("user_id", "bot", "id"),
    )
    ids = {(user_id, bot): id for user_id, bot, id in rows}
    insert_rows(
        Message,
        [
            {"conversation_id": ids[owner], "role": message.role, "content": storable(message.content)}
            for owner, messages in said
            for message in messages
        ],
    )


def _empty_expired(owners: Sequence[Owner]) -> None:
    expired = Conversation.objects.expired().filter(
        user_id__in={user_id for user_id, _ in owners}, bot__in={bot for _, bot in owners}
    )
    wanted = set(owners)
    # Locked, so that nobody revives one between the look and the deletion and loses what they have just said.
    rows = expired.select_for_update().order_by("user_id", "bot").values_list("id", "user_id", "bot")
    ids = [id for id, user_id, bot in rows if (user_id, bot) in wanted]
    if ids:
        Message.objects.filter(conversation__in=ids).delete()
