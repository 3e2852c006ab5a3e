"""Separate what a model says from its reasoning and its control tokens, which some servers leave in the text.

Pure functions. Markup counts where models write it: at the beginning of a text, of a line or of a sentence. In code, in
quotes and within a sentence it is what somebody talks about, and stays.
"""

import re
import unicodedata

from bot.ai.control_tokens import CLOSED_CODE, CODE, final_channel, is_in, spans, without_tokens

# Nothing is looked for beyond it, nor so often: the event loop waits meanwhile.
_LONGEST_READ = 100_000
_MOST_MARKS = 100
_LOOKED_BACK = 50
_NAMES = r"(?:[a-z]+:)?(?:antthinking|think(?:ing)?|thoughts?|reasoning|reflection|scratch_?pad)"
# Pairs of an opening and a closing tag: of most models; Mistral, Kimi, Cohere, Sky-T1, Gemma.
_PAIRS = (
    (rf"<{_NAMES}(?:\s[^<>\n]*)?>", rf"</{_NAMES}\s*>"),
    (r"\[think\]", r"\[/think\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<\|start_thinking\|>", r"<\|end_thinking\|>"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|channel>thought\b", r"<channel\|>"),
    (r"<unused94>(?:thought\b)?", r"<unused95>"),
)
_OPENING = re.compile("|".join(opening for opening, _ in _PAIRS), re.IGNORECASE)
_CLOSING = re.compile("|".join(closing for _, closing in _PAIRS), re.IGNORECASE)
_QUOTES = "`\"'“”‘’«»‹›„"
_SENTENCE_ENDS = ".!?…:。！？"
# Between two tags that are only named: "<think> and </think>".
_JOINING = re.compile(r"\s*(?:and|or|und|oder|y|o|to|/|,|…|\.\.\.)\s*", re.IGNORECASE)

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
# Letters and symbols that look like nothing (Hangul fillers, Khmer vowels, Braille blank), and variation selectors.
_BLANK = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def spoken(text: str) -> str:
    """Return what a model says to the person: its text without reasoning and control tokens, stripped.

    Empty when it has said nothing: only reasoned, or written only what nobody sees.
    """
    text = text[:_LONGEST_READ]
    # All markup has one of these; most answers have none.
    if any(mark in text for mark in "<[◁") or text.lstrip().startswith(("analysis", "commentary")):
        text = without_tokens(_without_thoughts(final_channel(text)))
    text = text.strip()
    return text if is_visible(text) else ""


def is_visible(text: str) -> bool:
    """Return whether a reader sees anything of a text."""
    return any(unicodedata.category(char) not in _INVISIBLE and not _BLANK.match(char) for char in text)


def _without_thoughts(text: str) -> str:
    position = 0
    for _ in range(_MOST_MARKS):
        opening = _next_opening(text, position)
        if opening is None:
            break
        closing = _next_closing(text, opening.end())
        if not _is_thought(text, opening, closing):
            # Named, and with it the tag that closes it.
            position = closing.end() if closing else opening.end()
            continue
        # Whatever stands before the first thoughts without a tag is looked at below.
        position = opening.start()
        text = text[:position].rstrip(" ") + _gap(text, opening, closing) + (text[closing.end() :] if closing else "")
    return _without_unopened(text)


def _gap(text: str, opening: re.Match[str], closing: re.Match[str] | None) -> str:
    """Return what stays between the words around thoughts: a space within a line."""
    before = text[: opening.start()]
    within = before and not before.endswith("\n") and closing and not text[closing.end() :].startswith(("\n", " "))
    return " " if within else ""


def _without_unopened(text: str) -> str:
    """Return text without thoughts at its beginning whose opening tag the server's template has written."""
    code, named = spans(CLOSED_CODE, text), _named_pairs(text)
    ends = (
        match.end()
        for match in _CLOSING.finditer(text)
        if not (is_in(match.start(), code) or is_in(match.start(), named) or _is_quoted(text, match))
        and _ends_thoughts(text, match)
    )
    return text[max(ends, default=0) :]


def _named_pairs(text: str) -> list[tuple[int, int]]:
    """Return where tags are named with what closes them, on the same line or in code. What was a thought is gone."""
    code, position = spans(CODE, text), 0
    pairs: list[tuple[int, int]] = []
    while opening := _OPENING.search(text, position):
        closing = _CLOSING.search(text, opening.end())
        if closing is None:
            break
        position = closing.end()
        if "\n" not in text[opening.end() : closing.start()] or is_in(opening.start(), code):
            pairs.append((opening.start(), position))
    return pairs


def _next_opening(text: str, position: int) -> re.Match[str] | None:
    code = spans(CODE, text)
    found = _OPENING.finditer(text, position)
    return next((one for one in found if not is_in(one.start(), code) and not _is_quoted(text, one)), None)


def _next_closing(text: str, position: int) -> re.Match[str] | None:
    # Code within thoughts may be left open: only a tag between quotes is passed over.
    return next((one for one in _CLOSING.finditer(text, position) if not _is_quoted(text, one)), None)


def _is_thought(text: str, opening: re.Match[str], closing: re.Match[str] | None) -> bool:
    """Return whether thoughts begin at an opening tag, rather than that somebody writes about the tag."""
    before, line = text[: opening.start()], text[: opening.start()].rpartition("\n")[2]
    if closing and _JOINING.fullmatch(text, opening.end(), closing.start()):
        return False
    if not before.strip():
        return True
    if not line.strip():
        return closing is not None or not text[opening.end() :].startswith(" ")
    follows_mark = before[-1] != " " and not before[-1].isalnum()
    starts_sentence = before.rstrip().endswith(tuple(_SENTENCE_ENDS)) or follows_mark
    return starts_sentence and closing is not None and not text[: closing.start()].endswith(" ")


def _ends_thoughts(text: str, closing: re.Match[str]) -> bool:
    """Return whether thoughts end at a closing tag that nothing opened: it follows a sentence, or stands by itself."""
    before = text[max(0, closing.start() - _LOOKED_BACK) : closing.start()]
    if text[closing.end() : closing.end() + 1] in tuple(".,;:!?)"):
        return False
    return not before.endswith(" ") or before.rstrip().endswith(tuple(_SENTENCE_ENDS))


def _is_quoted(text: str, match: re.Match[str]) -> bool:
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    return bool(before and after) and before in _QUOTES and after in _QUOTES
