"""The inbox of the last days: the messages of each planned turn as they stand when its work has ended."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from bot.dev.demo.texts import AFTERTHOUGHTS
from bot.dev.demo.turns import ANSWERED, DEAD, EXPIRED, FAILED, UNCERTAIN, PlannedTurn
from bot.errors import ErrorCode
from bot.models import UNCERTAIN as UNCERTAIN_CODE
from bot.models import Bot, InboundMessage, OutboundMessage
from users.models import User

State = InboundMessage.State
BATCH = 1_000
STAGES = ("claimed", "notice", "access", "rate_limit", "window", "commands", "budget")
# What a message says of its turn's end, as the worker writes it; others: the outcome itself.
STATES: dict[str, tuple[str, str]] = {
    ANSWERED: (State.DONE, ""),
    FAILED: (State.DEAD, ErrorCode.CHANNEL_ERROR),
    UNCERTAIN: (State.DONE, UNCERTAIN_CODE),
    EXPIRED: (State.DONE, ErrorCode.WINDOW_EXPIRED),
    DEAD: (State.DEAD, ErrorCode.INTERNAL_ERROR),
}
# How it came about, where a code says that as well.
CAUSES: dict[str, tuple[str, ...]] = {
    FAILED: ("unreachable", "unreachable", "http_400", "http_403", "http_413"),
    UNCERTAIN: ("timeout", "timeout", "connection_lost", "INTERRUPTED", "http_502"),
}
UNREADABLE = ("no sender", "no id", "text too long")


@dataclass(slots=True)
class WrittenTurn:
    """A turn with its messages. said: what the model was shown; stored_at: when the reply was stored; parts: of it."""

    plan: PlannedTurn
    messages: list[InboundMessage]
    said: str
    stored_at: datetime
    reply: str = ""
    parts: list[OutboundMessage] = field(default_factory=list)

    @property
    def key(self) -> int:
        """The turn's key: the id of its first message, once that has one."""
        return self.messages[0].pk


def plan_inbox(
    seed: int, turns: Sequence[PlannedTurn], people: Sequence[User], bots: Sequence[Bot]
) -> list[WrittenTurn]:
    """Return each turn with its messages, which are not stored yet."""
    rng = random.Random(f"{seed}:inbox")
    return [_written(rng, number, turn, people[turn.person], bots[turn.bot]) for number, turn in enumerate(turns)]


def store_inbox(seed: int, turns: Sequence[WrittenTurn], bots: Sequence[Bot], since: datetime, now: datetime) -> int:
    """Insert the messages of turns, and some that could not be read; return how many there are."""
    rng = random.Random(f"{seed}:unreadable")
    rows = [message for turn in turns for message in turn.messages]
    rows += [_unreadable(rng, bot, number, since, now) for bot in bots for number in range(2)]
    # Rows are purged in the order of their ids, which is that of time.
    rows.sort(key=lambda row: row.received_at)
    InboundMessage.objects.bulk_create(rows, batch_size=BATCH)
    # (What has steps is the first message of a turn whose reply was stored.)
    InboundMessage.objects.filter(bot__in=bots, steps__isnull=False).update(turn_key=F("id"))
    others = [message for turn in turns for message in turn.messages[1:]]
    for turn in turns:
        for message in turn.messages[1:]:
            message.turn_key = turn.key
    InboundMessage.objects.bulk_update(others, ["turn_key"], batch_size=BATCH)
    return len(rows)


def _written(rng: random.Random, number: int, turn: PlannedTurn, person: User, bot: Bot) -> WrittenTurn:
    state, code = STATES.get(turn.outcome, (State.DONE, turn.outcome))
    if turn.outcome in CAUSES:
        code = f"{code}:{rng.choice(CAUSES[turn.outcome])}"
    texts = [turn.question]
    if turn.outcome == ANSWERED and rng.random() < 0.05:
        texts.append(rng.choice(AFTERTHOUGHTS[turn.language]))
    steps = None if turn.outcome == DEAD else _steps(rng, turn)
    stored_at = turn.begun_at + timedelta(milliseconds=steps[-1][1] if steps else 400)
    messages = []
    for place, text in enumerate(texts):
        sent_at = turn.at + timedelta(milliseconds=place * 120)
        received_at = sent_at + timedelta(milliseconds=rng.randint(150, 250))
        fields: dict[str, Any] = {"state": state, "error_code": code, "sent_at": sent_at, "received_at": received_at}
        messages.append(
            InboundMessage(
                bot=bot,
                external_id=f"seed-demo-{number}-{place}",
                address=person.phone_number or "",
                kind=rng.choice(("audio", "image")) if turn.outcome == ErrorCode.UNSUPPORTED_MESSAGE else "text",
                payload={"text": text, "profile_name": person.name} if state == State.DEAD else {},
                attempts=5 if turn.outcome == DEAD else 1,
                available_at=received_at,
                request_id=f"{rng.getrandbits(128):032x}",
                begun_at=turn.begun_at,
                # (Where a reply is sent, plan_outbox() knows better.)
                finished_at=stored_at,
                steps=steps if place == 0 else None,
                **fields,
            )
        )
    return WrittenTurn(turn, messages, "\n".join(texts), stored_at)


def _steps(rng: random.Random, turn: PlannedTurn) -> list[list[Any]]:
    """Return the stages with the milliseconds from the claim to the end of each, as far as the turn came."""
    names = list(STAGES)
    if turn.outcome == ErrorCode.RATE_LIMIT_EXCEEDED:
        names = names[:4]
    elapsed, steps = 0, []
    for name in names:
        elapsed += rng.randint(2, 14) if name in ("claimed", "budget") else rng.randint(0, 2)
        steps.append([name, elapsed])
    if turn.is_paid or turn.outcome == ErrorCode.OPENAI_API_ERROR:
        elapsed += turn.model_ms
        steps.append(["completion", elapsed])
    return [*steps, ["stored", elapsed + rng.randint(4, 18)]]


def _unreadable(rng: random.Random, bot: Bot, number: int, first: datetime, now: datetime) -> InboundMessage:
    at = first + (now - first) * rng.uniform(0.05, 0.9)
    return InboundMessage(
        bot=bot,
        external_id=f"rejected-seed-demo-{number}",
        kind="rejected",
        payload={"reason": rng.choice(UNREADABLE)},
        state=State.QUARANTINED,
        error_code=ErrorCode.INVALID_INPUT,
        received_at=at,
        available_at=at,
        request_id=f"{rng.getrandbits(128):032x}",
    )
