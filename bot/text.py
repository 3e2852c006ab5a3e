"""Clean what people and models write, and cut it into parts a channel accepts. Pure functions."""

import re
import unicodedata

# Control characters but newline and tab; and lone surrogates, which no database and no UTF-8 body can hold.
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？]")

_JOINER = "\u200d"
# A cluster longer than this (piled-up accents) is cut all the same: a part has to end somewhere.
_LONGEST_CLUSTER = 64


def clean(text: str) -> str:
    r"""Return text with \n line breaks, without other control characters (tab stays) and without lone surrogates."""
    if text.isprintable():  # (most texts are: found out in a fraction of the time)
        return text
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWANTED.sub("", text)


def sentence_ends(text: str) -> list[int]:
    """Return the positions after the sentences of a text, its own end included if a sentence ends there."""
    # (With a line break behind it the last sentence is one as well.)
    return [match.end() for match in _SENTENCE_END.finditer(f"{text}\n")]


def split(text: str, limit: int) -> list[str]:
    """Return text in parts of at most limit characters, cut where a reader would pause.

    Nothing is lost but white space at the cuts and at both ends; text without anything else gives no parts.

    Raises:
        ValueError: limit is not positive.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > limit:
        cut = _find_cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        parts.append(rest)
    return parts


def _find_cut(text: str, limit: int) -> int:
    """Return where to end a part of text, which is longer than limit: from 1 to limit."""
    # A part less than half full would make more parts than needed, and each may be billed.
    least = max(1, limit // 2)
    for separator in ("\n\n", "\n"):
        cut = text.rfind(separator, least, limit + len(separator))
        if cut > 0:
            return cut
    ends = [match.end() for match in _SENTENCE_END.finditer(text, least, limit + 1)]
    fitting = [end for end in ends if end <= limit and _is_boundary(text, end)]
    if fitting:
        return fitting[-1]
    if text[limit].isspace():
        return limit
    words = len(text[:limit].rsplit(None, 1)[0])
    return words if words < limit else hard_cut(text, limit)


def hard_cut(text: str, limit: int) -> int:
    """Return the last position up to limit that does not split what a reader sees as one character."""
    for cut in range(limit, max(0, limit - _LONGEST_CLUSTER), -1):
        if _is_boundary(text, cut):
            return cut
    return limit


def _is_boundary(text: str, position: int) -> bool:
    """Return whether text may be cut before position: a close approximation of Unicode's grapheme clusters."""
    before, after = text[position - 1], text[position]
    if before == _JOINER or _extends(after):
        return False
    if _is_flag_half(before) and _is_flag_half(after):
        # Flags are pairs: the cut may come after an even number of halves.
        start = position
        while start > 0 and _is_flag_half(text[start - 1]):
            start -= 1
        return (position - start) % 2 == 0
    # After a virama (combining class 9) the next letter is drawn into the same cluster.
    return unicodedata.combining(before) != 9


def _extends(char: str) -> bool:
    """Return whether a character only changes the one before: accents, joiners, skin tones, tags, Hangul jamo."""
    if char.isascii():
        return False
    return (
        unicodedata.category(char) in {"Mn", "Mc", "Me"}
        or char in "\u200c\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or "\u1160" <= char <= "\u11ff"
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
