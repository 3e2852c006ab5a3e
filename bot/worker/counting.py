"""Metrics of turns. Count each fact once, after it was committed under a held lease."""

from django.utils import timezone

from bot.errors import ErrorCode
from bot.models import OutboundMessage, OutboundPart
from bot.monitoring.metrics.memory import count, observe
from bot.pipeline.turn import Turn
from bot.worker.settlement import Outcome, Settlement

Status = OutboundMessage.Status

# {error code of an expected refusal: the reason it is counted under}.
REFUSALS = {
    ErrorCode.RATE_LIMIT_EXCEEDED: "rate_limit",
    ErrorCode.UNAUTHORIZED: "stranger",
    ErrorCode.BUDGET_EXCEEDED: "person_budget",
    ErrorCode.BOT_BUDGET_EXCEEDED: "bot_budget",
    ErrorCode.GLOBAL_BUDGET_EXCEEDED: "everybodys_budget",
    ErrorCode.UNSUPPORTED_MESSAGE: "unsupported",
    ErrorCode.MESSAGE_UNAVAILABLE: "unavailable",
    ErrorCode.MESSAGE_TOO_LONG: "too_long",
}
PUT_OFF = {Outcome.RETRY: "retried", Outcome.DEAD: "dead", Outcome.PAUSE: "paused"}


def count_settlement(settlement: Settlement) -> None:
    """Count the status of a part, and the outcome of its turn if that has ended or waits."""
    if settlement.status and settlement.status != Status.QUEUED:
        count("deliveries", status=str(settlement.status))
    if settlement.outcome is Outcome.GO_ON:
        return
    outcome = outcome_of(settlement)
    count("turns", outcome=outcome)
    code = None if settlement.doubt else code_of(settlement.error_code or settlement.turn.result.error_code)
    if code in REFUSALS:
        count("refusals", reason=REFUSALS[code])
    elif code:
        count("failures", code=code)


def count_reply(turn: Turn, part: OutboundPart, settlement: Settlement) -> None:
    """Observe the person's waiting time, when the first part of a reply was sent."""
    first = turn.messages[0]
    if part.part == 1 and settlement.status == Status.SENT and first.received_at and not first.notice:
        observe("reply_seconds", (timezone.now() - first.received_at).total_seconds())


def outcome_of(settlement: Settlement) -> str:
    """Return the `outcome` label of a turn's last settlement."""
    result = settlement.turn.result
    if settlement.outcome in PUT_OFF:
        return PUT_OFF[settlement.outcome]
    if settlement.doubt:
        return "uncertain"
    if settlement.error_code or result.error_code == ErrorCode.WINDOW_EXPIRED:
        return "expired"
    if result.ended and not result.reply:
        return "silent"
    if not result.error_code:
        return "answered"
    return "refused" if result.error_code in REFUSALS else "failed"


def code_of(error_code: str) -> ErrorCode | None:
    """Return the `code` label of an error: CHANNEL_ERROR for `CHANNEL_ERROR:131000`, INTERNAL_ERROR for a crash."""
    base = error_code.partition(":")[0]
    if not base:
        return None
    return ErrorCode(base) if base in set(ErrorCode) else ErrorCode.INTERNAL_ERROR
