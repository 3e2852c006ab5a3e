"""An odd value costs what it tells and nothing else."""

from typing import Any

import pytest

from bot.channels.events import InboundEvent
from bot.tests.channels.whatsapp.bodies import (
    parse_message,
)


@pytest.mark.parametrize(
    "timestamp", [None, "", "soon", "-1", "0", "9" * 5_000, 10**300, 1.5, True, [], "1795161600.5"]
)
def test_an_odd_timestamp_costs_the_moment_only(timestamp: Any) -> None:
    event = parse_message(timestamp=timestamp)
    assert isinstance(event, InboundEvent)
    assert event.sent_at is None
