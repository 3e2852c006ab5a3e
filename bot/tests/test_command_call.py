"""A command is read as it was meant, whatever stands around it."""

import pytest

from bot.command_call import Call, read_call


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("\u200e/help", Call("help")),
        ("\u200f\u202b/help\u202c", Call("help")),
        ("\u2068/join ABC-123\u2069", Call("join", "ABC-123")),
        ("\ufeff/usage \u2068today\u2069", Call("usage", "today")),
        ("\u200b \u2060/\u200ehelp\u200b", Call("help")),
        ("／help", Call("help")),
        ("\u200e／join\u200e \u200eABC", Call("join", "ABC")),
        ("/help@shop_bot\u200e me", Call("help", "me")),
        ("/etc/passwd", None),
        ("\u200e/etc/passwd", None),
        ("Look: \u200e/help", None),
        ("\u200e\u2069", None),
        ("//help", None),
        ("/he\u200blp", None),
    ],
)
def test_what_stands_around_a_command_and_is_not_seen_does_not_hide_it(text: str, call: Call | None) -> None:
    assert read_call(text) == call
