"""One inbound message of a turn."""

import pytest

from bot.channels.events import TEXT, TOLD
from bot.queue.turn_message import TurnMessage

TOLD_KIND = sorted(TOLD)[0]


@pytest.mark.parametrize(
    ("kind", "text", "note", "is_readable"),
    [
        (TEXT, "Hello", "", True),
        (TEXT, " \n", "", False),
        (TOLD_KIND, "", "[location: here]", True),
        (TOLD_KIND, "", "", False),
        ("sticker of tomorrow", "", "[a sticker]", False),
    ],
)
def test_what_says_something_can_be_answered(kind: str, text: str, note: str, is_readable: bool) -> None:
    assert TurnMessage(1, "wamid.1", kind, text, note=note).is_readable is is_readable


def test_no_repr_shows_what_somebody_wrote() -> None:
    assert "Hello" not in repr(TurnMessage(1, "wamid.1", TEXT, "Hello", note="Hello", profile_name="Hello"))
