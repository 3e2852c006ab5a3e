"""How many tokens a text is, roughly."""

import pytest

from bot.ai.tokens import estimate_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 1),
        ("a", 1),
        ("abcd", 2),
        ("The quick brown fox jumps over the lazy dog.", 15),
        ("Привет", 4),
        ("你好", 2),
        ("👋🏽", 3),
        ("\ud800", 1),
    ],
)
def test_an_estimate_is_a_token_for_every_three_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens
