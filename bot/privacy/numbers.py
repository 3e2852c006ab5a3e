"""Recognition of a person's numbers and addresses in a text, as whole words. Pure: no database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import phonenumbers
from django.conf import settings

from bot.privacy.subjects import Pair
from users.phone import is_e164

# Separators between the digits of a number.
BETWEEN = r"[ \u00a0()\[\].\-/\u2010-\u2015]{0,3}"
# A chosen address ("ann", "5") may be an ordinary word; a provider's id is long and has digits.
SHORTEST_ADDRESS = 8
HAS_DIGIT = re.compile(r"[0-9]")
HIDDEN = "…"
NO_DIGITS = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class Names:
    """A matcher of a person's numbers, however they are spaced, and addresses in texts that staff wrote."""

    pattern: re.Pattern[str] | None = field(repr=False)

    def are_in(self, text: str) -> bool:
        """Return whether the text contains one of them."""
        return self.pattern is not None and self.pattern.search(text) is not None

    def hide(self, text: str) -> str:
        """Return the text without them."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text


def names_in(addresses: Iterable[Pair]) -> Names:
    """Return the matcher for a person's addresses."""
    texts = sorted({address for _, address in addresses})
    patterns = [found for text in texts if (found := _pattern(text))]
    # Not within a longer number or word, which may be somebody else's.
    return Names(re.compile(rf"(?<!\w)(?<!\w\+)(?:{'|'.join(patterns)})(?!\w)") if patterns else None)


def _pattern(address: str) -> str:
    if is_e164(address):
        international = rf"(?:(?:\+|00){BETWEEN})?{BETWEEN.join(address[1:])}"
        national = _national_digits(address)
        return rf"{international}|\(?{BETWEEN.join(national)}" if national else international
    return re.escape(address) if len(address) >= SHORTEST_ADDRESS and HAS_DIGIT.search(address) else ""


def _national_digits(number: str) -> str:
    """Return the national form of a number in the default region, which is that of numbers without a country code."""
    region = settings.PHONE_DEFAULT_REGION.strip().upper()
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    if not region or parsed.country_code != phonenumbers.country_code_for_region(region):
        return ""
    return NO_DIGITS.sub("", phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))
