"""What turns count for. Called after what is counted was committed under a lease that was held: once for each."""

from django.utils import timezone

from bot.errors import ErrorCode
from bot.models import OutboundMessage, OutboundPart
from bot.monitoring.metrics.memory import count, observe
from bot.pipeline.turn import Turn
from bot.worker.settlement import Outcome, Settlement

Status = OutboundMessage.Status

# What is no fault of anybody's that has to be looked into, and the reason it is counted under.
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
    """Count what became of a part, and of its turn if that is over or put off."""
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
    """Count how long the person waited, when the first part of an answer was sent."""
    first = turn.messages[0]
    if part.part == 1 and settlement.status == Status.SENT and first.received_at and not first.notice:
        observe("reply_seconds", (timezone.now() - first.received_at).total_seconds())


def outcome_of(settlement: Settlement) -> str:
    """Return the outcome that a turn's last settlement is counted under."""
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
    """Return the code that an error is counted under: `CHANNEL_ERROR:131000` under the first, a crash as internal."""
    base = error_code.partition(":")[0]
    if not base:
        return None
    return ErrorCode(base) if base in set(ErrorCode) else ErrorCode.INTERNAL_ERROR
