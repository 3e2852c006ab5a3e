"""What the bots remember: the conversations that are not forgotten yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from bot.dev.demo.inbox_rows import BATCH, WrittenTurn
from bot.models import Bot
from conversations.models import Conversation, Message, MessageRole
from users.models import User

# What would be forgotten within the hour is left out.
MARGIN = timedelta(hours=1)


def store_memory(
    turns: Sequence[WrittenTurn], people: Sequence[User], bots: Sequence[Bot], now: datetime
) -> tuple[int, int]:
    """Insert the conversations of the turns; return how many conversations and messages there are."""
    kept_for = timedelta(days=settings.CONVERSATION_TTL_DAYS)
    chats: dict[tuple[int, int], list[WrittenTurn]] = {}
    for turn in turns:
        if turn.plan.is_paid:
            chat = chats.setdefault((turn.plan.person, turn.plan.bot), [])
            if chat and turn.stored_at - chat[-1].stored_at >= kept_for:
                chat.clear()  # forgotten before this was written
            chat.append(turn)
    live = {key: chat for key, chat in chats.items() if chat[-1].stored_at + kept_for > now + MARGIN}
    conversations = Conversation.objects.bulk_create(
        [
            Conversation(
                user=people[person],
                bot=bots[bot].slug,
                created_at=chat[0].stored_at,
                expires_at=chat[-1].stored_at + kept_for,
            )
            for (person, bot), chat in live.items()
        ],
        batch_size=BATCH,
    )
    messages = [
        Message(conversation=conversation, role=role, content=content, created_at=turn.stored_at, turn_key=turn.key)
        for conversation, chat in zip(conversations, live.values(), strict=True)
        for turn in chat
        for role, content in ((MessageRole.USER, turn.said), (MessageRole.ASSISTANT, turn.reply))
    ]
    Message.objects.bulk_create(messages, batch_size=BATCH)
    return len(conversations), len(messages)
