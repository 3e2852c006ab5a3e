"""What a dialect makes of a fence's language."""

import pytest

from bot.tests.channels.rendering.written import rendered


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**Öffnungszeiten:** Mo–Fr „täglich“", "*Öffnungszeiten:* Mo–Fr „täglich“"),
        ("¡**Atención**! ¿*Qué* pasa?", "¡*Atención*! ¿_Qué_ pasa?"),
        ("这是**重要**的。", "这是*重要*的。"),
        ("**注意：**内容，**「好」**的", "*注意：*内容，*「好」*的"),
        ("**“重要”**的", "*“重要”*的"),
        ("**중요**합니다", "*중요*합니다"),
        ("**مرحبا** بالعالم", "*مرحبا* بالعالم"),
        ("\u200f**שלום** עולם", "\u200f*שלום* עולם"),
        ("**👍🏽 ok** 👩‍👩‍👧", "*👍🏽 ok* 👩‍👩‍👧"),
        # WhatsApp takes no mark for one that touches a word: its asterisks would be seen.
        ("**Donau**dampfschiff", "Donaudampfschiff"),
        ("un**believ**able", "unbelievable"),
    ],
)
def test_languages(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected
