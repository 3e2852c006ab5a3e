"""What a model writes as Markdown is written in WhatsApp's marks, and what is no Markdown stays as it is."""

import pytest

from bot.channels.rendering import has_markdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Guten Tag! Wir haben von 9 bis 18 Uhr offen (außer sonntags).", False),
        ("- one\n- two\n\n1. three\n> four", False),
        ("Fish & chips cost $5; a < b, 2 > 1 ~ #1", False),
        ("**x**", True),
        ("a_b", True),
        ("a\n# b", True),
        ("a\n===", True),
        ("a\n- - -", True),
        ("&amp;", True),
        ("~~a~~", True),
    ],
)
def test_plain_text_is_recognised(text: str, expected: bool) -> None:
    assert has_markdown(text) is expected
