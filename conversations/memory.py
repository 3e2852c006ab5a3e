"""Read many conversations at once, as a worker begins many turns together. Statements only: models.py writes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from config.db.sql import fetch, for_update, rows_source, rows_value, time_value

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


def lock_expired(owners: Sequence[Owner]) -> list[int]:
    """Lock those conversations of these owners whose time is over, and return their ids. Lock order: by owner.

    Locked, so that nobody revives one before it is emptied and loses what they have just said.
    """
    statement = f"""
        SELECT conversation.id FROM {rows_source("owner", OWNER_COLUMNS)}
        JOIN conversations_conversation AS conversation
            ON conversation.user_id = owner.user_id AND conversation.bot = owner.bot
        WHERE conversation.expires_at <= %s
        ORDER BY conversation.user_id, conversation.bot {for_update("OF conversation")}
    """  # noqa: S608 (only placeholders are put in)
    return [id for (id,) in fetch(statement, [_rows(owners), time_value(timezone.now())])]


def _rows(owners: Sequence[Owner]) -> str:
    """Return conversations' owners as the one parameter of their rows, each once."""
    return rows_value({"user_id": user_id, "bot": bot} for user_id, bot in dict.fromkeys(owners))
