"""What tests of pages share."""

import asyncio
from collections.abc import Callable

from bot.tests.front.granian import FakeConnection


def is_refused(answer: FakeConnection, status: int = 503) -> bool:
    """Return whether a browser is told so, in a text that says nothing of what went wrong inside."""
    assert answer.header("content-type") == ["text/plain; charset=utf-8"]
    assert len(answer.header("x-request-id")) == 1 and answer.header("x-content-type-options") == ["nosniff"]
    assert answer.header("retry-after") == (["5"] if status == 503 else [])
    return answer.status == status and answer.content.endswith(b".\n")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)
