"""Phone numbers that are given to nobody, because authorities keep them free for films and books.

North America: 555-0100 to 555-0199 in every area code. United Kingdom (Ofcom): 07700 900000 to 900999. Germany
(Bundesnetzagentur): 0171 3920000 to 3920099, 0176 04069000 to 04069099, and a thousand each in Berlin (030 23125),
Hamburg (040 66969) and Munich (089 99998). Ireland (ComReg): 020 91 and five digits. Sweden (PTS): 070-1740605 to
1740699.
"""

import random
import re
from collections.abc import Collection, Iterator

# Not 202: bootstrap, the simulator and examples use it.
AREA_CODES = (212, 213, 305, 312, 415, 416, 503, 512, 602, 604, 615, 617, 646, 702, 713, 718, 737, 786, 808, 917)
FICTIONAL = re.compile(
    r"\+1[2-9][0-9]{2}55501[0-9]{2}"
    r"|\+447700900[0-9]{3}"
    r"|\+49(?:17139200|176040690)[0-9]{2}"
    r"|\+49(?:3023125|4066969|8999998)[0-9]{3}"
    r"|\+3532091[0-9]{5}"
    r"|\+46701740(?:60[5-9]|6[1-9][0-9])"
)
# Of a country: where its numbers begin, the first and the last that may follow, and with how many digits.
BLOCKS: dict[str, tuple[tuple[str, int, int, int], ...]] = {
    "US": tuple((f"+1{area}555", 100, 199, 4) for area in AREA_CODES),
    "GB": (("+447700900", 0, 999, 3),),
    "DE": (
        ("+491713920", 0, 99, 3),
        ("+4917604069", 0, 99, 3),
        ("+493023125", 0, 999, 3),
        ("+494066969", 0, 999, 3),
        ("+498999998", 0, 999, 3),
    ),
    "IE": (("+3532091", 0, 9_999, 5),),
    "SE": (("+46701740", 605, 699, 3),),
}


def is_fictional(number: str) -> bool:
    """Return whether an E.164 number is one of those that nobody has."""
    return FICTIONAL.fullmatch(number) is not None


class Numbers:
    """Gives out each number once, in an order that follows from the generator, and none of those that are taken."""

    def __init__(self, rng: random.Random, taken: Collection[str] = ()) -> None:
        self._left = {country: _shuffled(country, rng, taken) for country in BLOCKS}

    def take(self, country: str) -> str:
        """Return a number of a country; where it has none left, of one that has many."""
        return next(self._left[country], None) or next(self._left["IE"])


def _shuffled(country: str, rng: random.Random, taken: Collection[str]) -> Iterator[str]:
    blocks = BLOCKS[country]
    numbers = [f"{start}{n:0{width}}" for start, first, last, width in blocks for n in range(first, last + 1)]
    rng.shuffle(numbers)
    return (number for number in numbers if number not in taken)
