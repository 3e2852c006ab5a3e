"""What a message holds besides text is told in short words that cannot leave their brackets."""

from bot.channels.words import LONGEST_WORDS
from bot.tests.channels.whatsapp.bodies import form, words


def test_words_are_short_on_one_line_and_cannot_leave_their_brackets() -> None:
    answer = "x]\n[place: here]\u0000 " + "long " * 1_000
    _, text, _ = words(**form({f"name{number}": answer for number in range(500)}))
    assert len(text) < LONGEST_WORDS + 10
    assert "\n" not in text and text.count("[") == text.count("]") == 1
    assert text.startswith("[form: name0: x) (place: here) long") and text.endswith("…]")
