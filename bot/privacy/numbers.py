"""Recognise a person's numbers and addresses in a text, as whole words. Pure: no database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import phonenumbers
from django.conf import settings

from bot.privacy.subjects import Pair
from users.phone import is_e164

# What people put between the digits of a number.
BETWEEN = r"[ \u00a0()\[\].\-/\u2010-\u2015]{0,3}"
# An address that somebody chose ("ann", "5") is a word of everybody's; an id of a provider's is long and has digits.
SHORTEST_ADDRESS = 8
HAS_DIGIT = re.compile(r"[0-9]")
HIDDEN = "…"
NO_DIGITS = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class Names:
    """What names a person in a text that staff wrote: their numbers however they are spaced, and their addresses."""

    pattern: re.Pattern[str] | None = field(repr=False)

    def are_in(self, text: str) -> bool:
        """Return whether the text has one of them in it."""
        return self.pattern is not None and self.pattern.search(text) is not None

    def hide(self, text: str) -> str:
        """Return the text without them."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text


def names_in(addresses: Iterable[Pair]) -> Names:
    """Return what to look for of somebody who has these addresses."""
    texts = sorted({address for _, address in addresses})
    patterns = [found for text in texts if (found := _pattern(text))]
    # Not within a longer number or word: somebody else's may begin or end alike.
    return Names(re.compile(rf"(?<!\w)(?<!\w\+)(?:{'|'.join(patterns)})(?!\w)") if patterns else None)


def _pattern(address: str) -> str:
    if is_e164(address):
        international = rf"(?:(?:\+|00){BETWEEN})?{BETWEEN.join(address[1:])}"
        national = _national_digits(address)
        return rf"{international}|\(?{BETWEEN.join(national)}" if national else international
    return re.escape(address) if len(address) >= SHORTEST_ADDRESS and HAS_DIGIT.search(address) else ""


def _national_digits(number: str) -> str:
    """Return how a number is dialled at home, where home is what numbers without a country code are read in."""
    region = settings.PHONE_DEFAULT_REGION.strip().upper()
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    if not region or parsed.country_code != phonenumbers.country_code_for_region(region):
        return ""
    return NO_DIGITS.sub("", phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))
