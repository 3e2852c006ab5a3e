"""Error reports to Sentry, without people's texts and without secrets.

Every line of level ERROR is a report, as is an exception of a request that Django catches. A failure is logged once,
where its meaning is known, and so reported once. Expected errors are logged at INFO.
"""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import util
from typing import TYPE_CHECKING, Any, cast

from config.logs.context import bound_ids
from config.logs.lines import event_of
from config.logs.redaction import LONG_NUMBER, redact_mapping
from config.logs.sampling import Sampler
from config.logs.tracebacks import WITHHELD, links, safe_text

if TYPE_CHECKING:
    from sentry_sdk.transport import Transport

OFF = {"mode": "off"}
FLUSH_SECONDS = 2.0

# All keys are set: the SDK collects whatever is omitted.
DATA_COLLECTION: dict[str, Any] = {
    "user_info": False,
    "cookies": OFF,
    "http_headers": {"request": OFF},
    "http_bodies": [],
    "url_query_params": OFF,
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
    # Source lines hold literals, which in a test or a shell can be anybody's number.
    "frame_context_lines": 0,
}
TAGS = ("code", "turn_id", "request_id", "bot", "chat", "task")
# A fault in every turn would exhaust the project's quota: the log has the count.
_sampler = Sampler()
_lock = threading.Lock()


def scrub(event: Any, hint: Any) -> Any:
    """Return a copy of an event or transaction, redacted at every level."""
    return redact_mapping(event)


def before_send(event: Any, hint: Any) -> Any:
    """Return the report grouped by code, tagged with ids and redacted; None if it repeats too often."""
    record: logging.LogRecord | None = hint.get("log_record")
    if record is not None:
        with _lock:
            passes, _ = _sampler.admit(record)
        if not passes:
            return None
        event["logentry"] = {"message": event_of(record)}
    error = (hint.get("exc_info") or (None, None))[1]
    _withhold_texts(event, error)
    # A command's arguments may be anybody's number.
    event.get("extra", {}).pop("sys.argv", None)
    if record is None and error is None:
        # A message of ours, not a failure.
        return redact_mapping(event)
    ids = {**bound_ids(), **(vars(record) if record else {})}
    code = str(ids.get("code") or ids.get("error_code") or getattr(error, "code", "") or "INTERNAL_ERROR")
    event["tags"] = {**event.get("tags", {}), **{name: str(ids[name]) for name in TAGS if name in ids}, "code": code}
    event["fingerprint"] = [code, "{{ default }}" if error else str(record.msg if record else "")]
    # Addresses and paths of requests may be anybody's number.
    if "request" in event:
        event["request"] = {"method": event["request"].get("method")}
    if "transaction" in event:
        event["transaction"] = LONG_NUMBER.sub("[digits]", event["transaction"])
    return redact_mapping(event)


def before_breadcrumb(crumb: Any, hint: Any) -> Any:
    """Return a log line's breadcrumb, redacted like the line; None for others, as requests contain addresses."""
    record = hint.get("log_record")
    if record is None:
        return None
    return redact_mapping({**crumb, "message": event_of(record), "data": {**bound_ids(), **crumb.get("data", {})}})


def _withhold_texts(event: Any, error: BaseException | None) -> None:
    """Replace the messages of exceptions by safe ones (config/logs/tracebacks.py)."""
    shown = {type(link).__name__: safe_text(link) for link, _ in links(error)} if error else {}
    for value in event.get("exception", {}).get("values", []):
        if value.get("value"):
            value["value"] = shown.get(value.get("type"), WITHHELD)


def is_on() -> bool:
    """Return whether errors are reported."""
    sdk = sys.modules.get("sentry_sdk")
    return bool(sdk and sdk.is_initialized())


@contextmanager
def own_scope() -> Iterator[None]:
    """Isolate the breadcrumbs and tags of the block from other tasks' reports, and begin without any."""
    if not is_on():
        yield
        return
    with sys.modules["sentry_sdk"].isolation_scope() as scope:
        scope.clear_breadcrumbs()
        yield


def flush() -> None:
    """Send pending reports, before the process may end."""
    if is_on():
        sys.modules["sentry_sdk"].flush(FLUSH_SECONDS)


def init_sentry(dsn: str, environment: str, release: str = "", transport: "type[Transport] | None" = None) -> None:
    """Initialize error reports to the Sentry project of dsn, with the given environment and release."""
    # Late import: without a DSN a process does not pay for it.
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release or None,
        transport=transport,
        # Automatic integrations import installed libraries: openai costs 40 MB in processes that never use it.
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), LoggingIntegration()],
        data_collection=cast(Any, DATA_COLLECTION),
        max_request_body_size="never",
        before_send=before_send,
        before_send_transaction=scrub,
        before_breadcrumb=before_breadcrumb,
    )
    # It reports a failed task with the message of its exception; our tasks log the exception themselves.
    ignore_logger("django-q")
    # granian's worker processes skip atexit.
    util.Finalize(None, flush, exitpriority=1)
