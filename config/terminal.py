"""Standard input and output that take every character, also where the terminal or the environment knows only a few."""

import codecs
import io
import sys


def take_every_character() -> None:
    """Let no command end because a name cannot be written: what a terminal cannot show is shown as its escape.

    Where only ASCII is known, a file or pipe gets UTF-8, of which ASCII is a part: an export stays whole.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8" if _is_ascii(stream) and not stream.isatty() else None
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8" if _is_ascii(sys.stdin) else None, errors="replace")


def _is_ascii(stream: io.TextIOWrapper) -> bool:
    return codecs.lookup(stream.encoding).name == "ascii"
