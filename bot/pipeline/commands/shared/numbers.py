"""Parsing of phone numbers that staff type: a number in any spelling, perhaps followed by a name."""

import unicodedata

from bot.pipeline.commands.shared.wording import tidy_name
from users.phone import PUNCTUATION, read_number

# Separators between a number and a name, besides white space.
SEPARATORS = ",;:"


def read_person(text: str) -> tuple[str, str]:
    """Return the E.164 number that a text begins with, in any spelling, and the name that follows it.

    Raises:
        InvalidPhoneNumber: the number cannot be read.
    """
    end = next((at for at, one in enumerate(text) if not may_be_in_number(one)), len(text))
    number, rest = text[:end], text[end:]
    separated = number[-1:].isspace() or rest[:1] in SEPARATORS
    name = tidy_name(rest.lstrip(SEPARATORS))
    # "+49151x77" and "+49151;77" are mistyped numbers, not a number and a name.
    if rest and (not separated or name[:1].isdigit()):
        number, name = text, ""
    return read_number(number.strip()), name


def may_be_in_number(character: str) -> bool:
    """Return whether a character may occur inside a phone number as people write it."""
    return (
        character.isspace()
        or character == "+"
        or character in PUNCTUATION
        or unicodedata.category(character) in {"Nd", "Pd", "Cf"}
    )
