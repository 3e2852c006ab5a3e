"""Read the command that a message gives. Pure: which commands there are, the registry knows."""

import re
from dataclasses import dataclass

# Direction marks, zero-width characters and the byte order mark: keyboards and copied text put them around words.
MARKS = "".join(
    map(chr, (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF))
)
# A slash (East Asian keyboards: a wide one) and one word, as every messenger writes commands; "/etc/passwd" is none.
# Telegram adds @ and the bot's name.
COMMAND = re.compile(
    rf"[\s{MARKS}]*[/\uff0f][{MARKS}]*([^\W\d_][\w-]{{0,31}})(?:@\w{{1,64}})?"
    rf"(?:[{MARKS}]*\s[\s{MARKS}]*(?P<argument>.*))?[\s{MARKS}]*",
    re.DOTALL,
)
# What may stand around a command unseen. (White space ends at U+3000.)
EDGES = MARKS + "".join(filter(str.isspace, map(chr, range(0x3001))))


@dataclass(frozen=True, slots=True)
class Call:
    """A message that is a command: the word after the slash, in lower case, and the text that follows it."""

    name: str
    argument: str = ""


def read_call(text: str) -> Call | None:
    """Return the command a message gives ("/help", "/Usage today"), known or not, or None: it is no command."""
    match = COMMAND.fullmatch(text)
    return Call(match[1].lower(), (match["argument"] or "").rstrip(EDGES)) if match else None
