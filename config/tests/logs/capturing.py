"""The real Sentry SDK, with what it would send kept in a list."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport

from config.logs import sentry
from config.logs.sampling import Sampler


class Reports:
    """What was reported: `text()` as it would go over the wire, `events()` parsed."""

    def __init__(self) -> None:
        self.envelopes: list[str] = []

    def text(self) -> str:
        sentry_sdk.flush()
        return "\n".join(self.envelopes)

    def events(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text().splitlines() if line]
        return [line for line in lines if "event_id" in line and "platform" in line]


@contextmanager
def capturing_sentry() -> Iterator[Reports]:
    """Report to a list inside the block."""
    reports = Reports()

    class CapturingTransport(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            reports.envelopes.append(envelope.serialize().decode())

    sentry._sampler = Sampler()
    sentry.init_sentry("https://public@sentry.invalid/1", "production", "1.2.3", transport=CapturingTransport)
    try:
        yield reports
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
        sentry_sdk.get_isolation_scope().clear()
        sentry_sdk.get_isolation_scope().clear_breadcrumbs()
