"""An answer that was cut ends where a reader would pause."""

import pytest

from bot.ai.finish import end_cut

HALF = "The roses need a lot of light, and in winter you"


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("One is here. Two is here. Three", "One is here. Two is here. …"),
        ("One is here. Two is here.", "One is here. Two is here. …"),
        ("Ist das so? Ja, das ist", "Ist das so? Ja, das ist…"),
        ("1. Water them\n2. Feed them\n3. Cut", "1. Water them\n2. Feed them …"),
        ("バラは光が必要です。冬には", "バラは光が必要です。 …"),
        (HALF, f"{HALF}…"),
        ("Once, upon,", "Once, upon…"),
        ("Here:\n```py\nx = 1\ny =", "Here:\n```py\nx = 1\ny =\n```\n…"),
        ("It costs 3.50 and then. It", "It costs 3.50 and then. …"),
        ("", "…"),
    ],
)
def test_what_was_cut_ends_where_a_reader_would_pause(text: str, ended: str) -> None:
    assert end_cut(text, 100) == ended


@pytest.mark.parametrize("text", ["word " * 50, "a" * 200, "```" + "b " * 90, "One. " * 60, "一" * 300, "x\n" * 100])
def test_what_was_cut_is_never_longer_than_it_may_be(text: str) -> None:
    for longest in range(20, 120):
        assert len(end_cut(text, longest)) <= longest
