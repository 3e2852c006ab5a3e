"""The repository's two operations for many conversations at once: a worker begins and ends many turns together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from config.db.rows import insert_rows
from config.db.sql import fetch, for_update, rows_source, rows_value, time_value
from conversations.managers import next_expiry, storable
from conversations.models import Conversation, Message

# Who a conversation belongs to: (user id, bot slug).
Owner = tuple[int, str]
OWNER_COLUMNS = {"user_id": "bigint", "bot": "text"}


@dataclass(frozen=True, slots=True)
class Said:
    """One remembered message as a model is shown it. turn_key: of the turn it is of, where it is to be remembered.

    author: the id of the member of staff who wrote an answer; None: the model, or the person.
    """

    role: str
    content: str
    turn_key: int | None = None
    author: int | None = None


def recent_of_many(owners: Sequence[Owner], limit: int) -> dict[Owner, list[Said]]:
    """Return the last `limit` (1 or more) messages of each conversation, oldest first; none of an expired one.

    One query, whatever the number of conversations.
    """
    if not owners:
        return {}
    statement = f"""
        SELECT user_id, bot, role, content FROM (
            SELECT conversation.user_id, conversation.bot, message.role, message.content, message.id,
                ROW_NUMBER() OVER (PARTITION BY message.conversation_id ORDER BY message.id DESC) AS age
            FROM {rows_source("owner", OWNER_COLUMNS)}
            JOIN conversations_conversation AS conversation ON conversation.user_id = owner.user_id
                AND conversation.bot = owner.bot AND conversation.expires_at > %s
            JOIN conversations_message AS message ON message.conversation_id = conversation.id
        ) AS recent WHERE age <= %s ORDER BY id
    """  # noqa: S608 (only placeholders are put in)
    recent: dict[Owner, list[Said]] = defaultdict(list)
    for user_id, bot, role, content in fetch(statement, [_rows(owners), time_value(timezone.now()), limit]):
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
            {
                "conversation_id": ids[owner],
                "role": message.role,
                "content": storable(message.content),
                "turn_key": message.turn_key,
                "author_id": message.author,
            }
            for owner, messages in said
            for message in messages
        ],
    )


def _empty_expired(owners: Sequence[Owner]) -> None:
    # Locked, so that nobody revives one between the look and the deletion and loses what they have just said.
    statement = f"""
        SELECT conversation.id FROM {rows_source("owner", OWNER_COLUMNS)}
        JOIN conversations_conversation AS conversation
            ON conversation.user_id = owner.user_id AND conversation.bot = owner.bot
        WHERE conversation.expires_at <= %s
        ORDER BY conversation.user_id, conversation.bot {for_update("OF conversation")}
    """  # noqa: S608 (only placeholders are put in)
    ids = [id for (id,) in fetch(statement, [_rows(owners), time_value(timezone.now())])]
    if ids:
        Message.objects.filter(conversation__in=ids).delete()


def _rows(owners: Sequence[Owner]) -> str:
    """Return conversations' owners as the one parameter of their rows, each once."""
    return rows_value({"user_id": user_id, "bot": bot} for user_id, bot in dict.fromkeys(owners))
