"""The outbox of the last days, when the turns ended, and the leases of their chats."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import override

from bot.dev.demo.inbox_rows import BATCH, WrittenTurn
from bot.dev.demo.texts import MORE
from bot.dev.demo.turns import ANSWERED, DEAD, EXPIRED, FAILED, UNCERTAIN
from bot.errors import SENTENCES, ErrorCode
from bot.models import Lease, OutboundMessage
from bot.privacy.retention.periods import OUTBOUND_TEXT_DAYS

Status = OutboundMessage.Status
ENDS = {FAILED: Status.FAILED, UNCERTAIN: Status.UNCERTAIN, EXPIRED: Status.EXPIRED}


def plan_outbox(seed: int, turns: Sequence[WrittenTurn], now: datetime) -> None:
    """Give each turn its reply in parts, which are not stored yet, and its messages the time when it ended."""
    rng = random.Random(f"{seed}:outbox")
    for turn in turns:
        if turn.plan.outcome != DEAD:
            _answer(rng, turn, now)


def store_outbox(turns: Sequence[WrittenTurn]) -> int:
    """Insert the replies of turns whose messages are stored, and the leases; return how many parts there are."""
    for turn in turns:
        for part in turn.parts:
            part.turn_key = turn.key
            part.external_id = f"{turn.messages[0].external_id}-reply-{part.part}" if part.sent_at else ""
    parts = [part for turn in turns for part in turn.parts]
    OutboundMessage.objects.bulk_create(parts, batch_size=BATCH)
    _store_leases(turns)
    return len(parts)


def _answer(rng: random.Random, turn: WrittenTurn, now: datetime) -> None:
    texts = [_reply(turn)]
    if turn.plan.outcome == ANSWERED and rng.random() < 0.04:
        texts.append(MORE[turn.plan.language])
    turn.reply = "\n\n".join(texts)
    at = turn.stored_at
    for place, text in enumerate(texts, start=1):
        part = _part(rng, turn, place, text, at, now)
        turn.parts.append(part)
        at = part.sent_at or part.updated_at
    for message in turn.messages:
        message.finished_at = at + timedelta(milliseconds=rng.randint(3, 12))


def _reply(turn: WrittenTurn) -> str:
    """Return the model's text, or the sentence of what went wrong."""
    if turn.plan.is_paid:
        return turn.plan.answer
    with override(turn.plan.language):
        return str(SENTENCES[ErrorCode(turn.plan.outcome)])


def _part(
    rng: random.Random, turn: WrittenTurn, place: int, text: str, after: datetime, now: datetime
) -> OutboundMessage:
    first = turn.messages[0]
    part = OutboundMessage(
        bot=first.bot,
        address=first.address,
        part=place,
        text=text,
        attempts=1,
        created_at=turn.stored_at,
    )
    sending = after + timedelta(milliseconds=rng.randint(4, 30))
    sent = sending + timedelta(milliseconds=rng.randint(120, 700))
    if end := ENDS.get(turn.plan.outcome):
        part.status, part.error_code = end, first.error_code
        if end == Status.UNCERTAIN:
            part.error_code, part.doubt = "", first.error_code.partition(":")[2]
        part.attempts = 0 if end == Status.EXPIRED else 1
        part.sending_at = None if end == Status.EXPIRED else sending
        part.updated_at = sent
    else:
        part.sending_at = sending
        _receive(rng, part, sent, now)
    # As a receipt and the daily purge leave it.
    arrived = part.status in (Status.DELIVERED, Status.READ)
    if arrived or part.created_at < now - timedelta(days=OUTBOUND_TEXT_DAYS):
        part.text = ""
    return part


def _receive(rng: random.Random, part: OutboundMessage, sent: datetime, now: datetime) -> None:
    """Let a part be sent, mostly delivered and often read, each after the other and before now."""
    # Receipts of many are missing on the last day: the simulator shows what a text cost as long as it is there.
    missing = 0.5 if sent > now - timedelta(days=1) else 0.08
    reached = rng.choices((1, 2, 3), weights=(missing, (1 - missing) * 0.3, (1 - missing) * 0.7))[0]
    delivered = sent + timedelta(milliseconds=int(rng.lognormvariate(7.2, 0.8)))
    read = delivered + timedelta(seconds=2 + rng.lognormvariate(4.0, 1.4))
    part.status, part.sent_at, part.updated_at = Status.SENT, sent, sent
    if reached >= 2 and delivered < now:
        part.status, part.delivered_at, part.updated_at = Status.DELIVERED, delivered, delivered
        if reached == 3 and read < now:
            part.status, part.read_at, part.updated_at = Status.READ, read, read


def _store_leases(turns: Sequence[WrittenTurn]) -> None:
    """Insert the leases of the chats, all of them ended: the fence has grown with every turn."""
    leases: dict[tuple[int, str], Lease] = {}
    for turn in turns:
        first = turn.messages[0]
        lease = leases.setdefault((first.bot_id, first.address), Lease(bot=first.bot, address=first.address, fence=0))
        lease.fence += 1
        lease.expires_at = first.finished_at or turn.stored_at
    Lease.objects.bulk_create(leases.values(), batch_size=BATCH)
