"""Definitions of all metrics: name, help, labels. A test compares them with docs/operations/metrics.md."""

from dataclasses import dataclass, field

from bot.errors import ErrorCode
from config.desk.money import MICROS

PREFIX = "parley_"

OUTCOMES = ("answered", "refused", "failed", "silent", "uncertain", "expired", "retried", "dead", "paused")
REFUSALS = (
    "rate_limit",
    "stranger",
    "person_budget",
    "bot_budget",
    "everybodys_budget",
    "unsupported",
    "unavailable",
    "too_long",
)
DELIVERIES = ("sent", "delivered", "read", "failed", "uncertain", "expired")


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter or histogram. Its stored integers are divided by `divisor`.

    known: values of its only label that are exposed as 0 from the start, as Prometheus sees no increase in a first
    sample. buckets: upper bounds in seconds of a histogram.
    """

    help: str
    labels: tuple[str, ...] = ()
    divisor: int = 1
    known: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """A gauge, read from the tables at each scrape."""

    help: str
    labels: tuple[str, ...] = field(default=())


CODES = tuple(str(code) for code in ErrorCode)
MODEL_SECONDS_BUCKETS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0)
REPLY_SECONDS_BUCKETS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)

COUNTERS: dict[str, Counted] = {
    "messages_received": Counted("Messages that webhooks brought and that were stored.", ("bot", "kind")),
    "messages_redelivered": Counted("Messages that were stored already when a webhook brought them again.", ("bot",)),
    "messages_quarantined": Counted("Items of webhooks that could not be read.", ("bot",)),
    "provider_errors": Counted("Errors of their own that providers reported in webhooks.", ("bot",)),
    "webhooks_refused": Counted("Webhook requests that were not answered with 200.", ("code",), known=CODES),
    "turns": Counted("Turns by what became of them; one that is tried again counts each time.", ("outcome",),
                     known=OUTCOMES),
    "failures": Counted("Turns that ended or were put off with an error, by its code.", ("code",), known=CODES),
    "refusals": Counted("Turns that were refused, by why.", ("reason",), known=REFUSALS),
    "deliveries": Counted("Parts of replies by what became known of them.", ("status",), known=DELIVERIES),
    "input_tokens": Counted("Tokens that models were shown, cached ones included.", ("model",)),
    "cached_input_tokens": Counted("Those of them that the provider had cached.", ("model",)),
    "output_tokens": Counted("Tokens that models answered.", ("model",)),
    "cost_dollars": Counted("What model calls cost, where a price is known.", ("model",), divisor=MICROS),
    "model_seconds": Counted("How long model calls took, failed ones included.", ("model",), divisor=MICROS,
                             buckets=MODEL_SECONDS_BUCKETS),
    "reply_seconds": Counted("From a message's arrival until the first part of its reply was sent.", divisor=MICROS,
                             buckets=REPLY_SECONDS_BUCKETS),
}  # fmt: skip

GAUGES: dict[str, Measured] = {
    "waiting_messages": Measured("Messages that wait for an answer or are being answered; those of paused bots apart."),
    "oldest_waiting_seconds": Measured("How long the longest waiting of them has been waiting."),
    "active_leases": Measured("Chats that workers are at work on."),
    "uncertain_sends": Measured("Parts of replies of which nobody knows whether they arrived."),
    "dead_letters": Measured("Messages that could not be answered and wait for staff."),
    "workers_alive": Measured("Worker processes whose heartbeat is fresh."),
    "worker_seen_seconds": Measured("Age of the latest heartbeat of any worker."),
    "schedulers_alive": Measured("Scheduler processes whose heartbeat is fresh."),
    "scheduler_seen_seconds": Measured("Age of the latest heartbeat of any scheduler."),
    "bots_paused": Measured("Active bots that have paused because their token or account is refused."),
    "budget_spent_dollars": Measured("What counts in everybody's budget of today, reservations included."),
    "budget_cap_dollars": Measured("DAILY_BUDGET_USD, where it is set."),
}


def exposed_name(name: str) -> str:
    """Return a metric's name in Prometheus."""
    counted = COUNTERS.get(name)
    return f"{PREFIX}{name}_total" if counted and not counted.buckets else f"{PREFIX}{name}"
