"""Delivery of a stored reply, part by part; each step is committed before the next, so that no crash sends twice."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
from django.utils import timezone

from bot.channels.sending import OutboundText, SendError
from bot.errors import ErrorCode
from bot.models import OutboundMessage, OutboundPart
from bot.pipeline.turn import Turn
from bot.queue.snapshot import FRESH_SECONDS
from bot.worker import replies, settlement
from bot.worker.counting import count_reply, count_settlement
from bot.worker.retry import backoff, may_retry
from bot.worker.settlement import Outcome, Settlement
from config.db.batching import Database

logger = logging.getLogger(__name__)

Status = OutboundMessage.Status
# After a refused token or account: long enough for the snapshot to pick up a new one.
PAUSE_TIME = timedelta(seconds=FRESH_SECONDS + 1)


@dataclass(slots=True)
class Delivery:
    """The sender of one worker. client: the worker's HTTP session."""

    worker: str
    database: Database
    client: aiohttp.ClientSession
    _begin: Callable[[tuple[Turn, OutboundPart]], Awaitable[bool]] = field(init=False)
    _settle: Callable[[Settlement], Awaitable[bool]] = field(init=False)

    def __post_init__(self) -> None:
        self._begin = self.database.batch(replies.begin_sending, self.worker)
        self._settle = self.database.batch(settlement.settle, self.worker)

    async def deliver(self, turn: Turn, parts: list[OutboundPart]) -> None:
        """Send the unsent parts in order, and settle the turn.

        Raises:
            LeaseLost: another worker has taken the chat over.
        """
        end = Outcome.DEAD if turn.result.given_up else Outcome.DONE
        open_parts = [part for part in parts if part.status not in OutboundMessage.GONE_OUT]
        for part in open_parts:
            last = part is open_parts[-1]
            settlement = await self._deliver_part(turn, part, end if last else Outcome.GO_ON)
            await self.settle(settlement)
            count_reply(turn, part, settlement)
            if settlement.outcome is not Outcome.GO_ON:
                return
        if not open_parts:
            await self.settle(Settlement(turn, end))

    async def settle(self, settlement: Settlement) -> None:
        """Commit one settlement."""
        await self._settle(settlement)
        count_settlement(settlement)
        if settlement.outcome is not Outcome.GO_ON:
            log_end(settlement)

    async def _deliver_part(self, turn: Turn, part: OutboundPart, on_success: Outcome) -> Settlement:
        if part.begun:
            return await self._send(turn, part, _message(turn, part), on_success)
        if part.status == Status.SENDING:
            # A previous worker began this send and crashed before recording its end: a retry might send it twice.
            return self._uncertain(turn, part, "INTERRUPTED")
        if part.status != Status.QUEUED:
            return _ended_before(turn, part)
        if turn.window_is_closed(timezone.now()):
            logger.warning("reply_expired")
            code = ErrorCode.WINDOW_EXPIRED
            return Settlement(turn, Outcome.DONE, part_id=part.id, status=Status.EXPIRED, error_code=code)
        message = _message(turn, part)
        if part.filename:
            # Upload before the part is marked as being sent: after a crash it is still queued, and uploaded again.
            try:
                upload_id = await turn.bot.channel.upload(self.client, turn.bot.account, message)
            except SendError as error:
                return self._refused(turn, part, error)
            message = replace(message, upload_id=upload_id)
        if not await self._begin((turn, part)):
            return Settlement(turn, on_success)  # a status webhook has overtaken it: it was sent
        return await self._send(turn, part, message, on_success)

    async def _send(self, turn: Turn, part: OutboundPart, message: OutboundText, on_success: Outcome) -> Settlement:
        """Send a part that is marked as being sent in the database."""
        began, turn.requested = time.monotonic(), True
        try:
            external_id = await turn.bot.channel.send(self.client, turn.bot.account, message)
        except SendError as error:
            return self._refused(turn, part, error)
        except asyncio.CancelledError:
            # Shutdown during the request: the next owner finds "sending" and settles the part as uncertain.
            logger.warning("send_interrupted", extra={"outbound_id": part.id})
            raise
        logger.info("message_sent", extra={"outbound_id": part.id, "part": part.part, "seconds": since(began)})
        return Settlement(turn, on_success, part_id=part.id, status=Status.SENT, external_id=external_id)

    def _refused(self, turn: Turn, part: OutboundPart, error: SendError) -> Settlement:
        if error.uncertain:
            return self._uncertain(turn, part, error.code)
        pauses = error.credentials_refused or error.account_refused
        retry = pauses or (error.retryable and may_retry(turn))
        logger.warning(
            "send_refused",
            extra={
                "outbound_id": part.id,
                "error_code": error.code,
                "provider_request_id": error.provider_request_id,
                "will_retry": retry,
            },
        )
        code = f"{ErrorCode.CHANNEL_ERROR}:{error.code}"
        if pauses:
            # The message is fine: it is sent once the bot's token or account is accepted.
            return Settlement(
                turn,
                Outcome.PAUSE,
                part_id=part.id,
                status=Status.QUEUED,
                error_code=code,
                retry_in=PAUSE_TIME,
                account_refused=not error.credentials_refused,
            )
        if not retry:
            return Settlement(
                turn,
                Outcome.DEAD,
                part_id=part.id,
                status=Status.FAILED,
                error_code=code,
                lost_file=part.filename,
            )
        delay = timedelta(seconds=error.retry_after) if error.retry_after else backoff(turn.attempts)
        return Settlement(
            turn, Outcome.RETRY, part_id=part.id, status=Status.QUEUED, error_code=error.code, retry_in=delay
        )

    def _uncertain(self, turn: Turn, part: OutboundPart, reason: str) -> Settlement:
        logger.warning("send_uncertain", extra={"outbound_id": part.id, "error_code": reason})
        # End the turn: later parts may only follow one that was accepted.
        return Settlement(turn, Outcome.DONE, part_id=part.id, status=Status.UNCERTAIN, doubt=reason)


def _message(turn: Turn, part: OutboundPart) -> OutboundText:
    return OutboundText(id=part.id, address=turn.address, text=part.text, filename=part.filename)


def log_end(settlement: Settlement) -> None:
    """Log how an attempt at a turn ended."""
    turn = settlement.turn
    code = settlement.code or turn.result.error_code
    facts: dict[str, Any] = {"outcome": settlement.outcome.value, "seconds": turn.elapsed_ms / 1_000}
    if turn.steps:  # no stage runs if an earlier attempt has stored the reply
        facts["stage"] = turn.steps[-1][0]
    if settlement.retry_in is not None:
        facts["again_in_seconds"] = settlement.retry_in.total_seconds()
    logger.info("turn_finished", extra={**facts, **({"error_code": code} if code else {})})


def since(moment: float) -> float:
    """Return the seconds since a time.monotonic(), rounded to milliseconds."""
    return round(time.monotonic() - moment, 3)


def _ended_before(turn: Turn, part: OutboundPart) -> Settlement:
    """Return the settlement of a reopened turn with a part that has already ended."""
    match part.status:
        case Status.UNCERTAIN:
            return Settlement(turn, Outcome.DONE, doubt="EARLIER")
        case Status.EXPIRED:
            return Settlement(turn, Outcome.DONE, error_code=ErrorCode.WINDOW_EXPIRED)
    return Settlement(turn, Outcome.DEAD, error_code=ErrorCode.CHANNEL_ERROR)
