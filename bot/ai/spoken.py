"""Separate what a model says from its reasoning and its control tokens, which some servers leave in the text.

Pure functions. Markup counts where models write it: at the beginning of a text, of a line or of a sentence. In code, in
quotes and within a sentence it is what somebody talks about, and stays.
"""

import re
import unicodedata

from bot.ai.control_tokens import (
    CLOSED_CODE,
    CODE,
    HARMONY_NAMES,
    final_channel,
    is_in,
    spans,
    without_calls,
    without_tokens,
)

# Nothing is read beyond it: the event loop waits meanwhile.
_LONGEST_READ = 100_000
_LOOKED_BACK = 50
_NAMES = (
    r"(?:(?:[a-z]+:|[a-z]+_)?(?:antthinking|think(?:ing)?|thoughts?|reasoning|reflection|scratch_?pad)"
    r"(?:_(?:process|content|steps?))?|(?:inner|internal)_monologue|chain_of_thought)"
)
# Pairs of an opening and a closing tag: of most models; Mistral, Kimi, Cohere and Step, Sky-T1, Gemma, Apertus.
_PAIRS = (
    (rf"< ?{_NAMES}(?:\s[^<>\n]*|\s*)(?<!/)>", rf"</ ?{_NAMES}\s*>"),
    (r"\[think\]", r"\[/think\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<\|(?:start_thinking|think_start|think)\|>", r"<\|(?:end_thinking|think_end|end_think|/think)\|>"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|channel>thought\b", r"<channel\|>"),
    (r"<unused94>(?:thought\b)?", r"<unused95>"),
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
)
_OPENINGS = "|".join(opening for opening, _ in _PAIRS)
_OPENING = re.compile(_OPENINGS, re.IGNORECASE)
_CLOSING = re.compile("|".join(closing for _, closing in _PAIRS), re.IGNORECASE)
# Code is passed over: a tag in it is not the model's.
_MARK = re.compile(rf"(?s:{CODE.pattern})|(?P<opening>{_OPENINGS})", re.IGNORECASE)
# Of tags in brackets, as against links.
_IN_BRACKETS = re.compile(r"\[/?(?:think|inst|e~|tool_calls)", re.IGNORECASE)
# Thoughts that are over before they begin, or that Open WebUI passes on; what stands around an answer after thoughts.
_FIRST = re.compile(
    rf'\s*(?:<{_NAMES}(?:\s[^<>\n]*)?/>|(?s:<details type="reasoning".*?(?:</details>|\Z)))', re.IGNORECASE
)
_AROUND = re.compile(r"\s*<(answer|response|output|final_answer)>(.*?)(?:</\1>\s*|\Z)", re.IGNORECASE | re.DOTALL)
# Granite says it in words.
_IN_WORDS = re.compile(r"\s*here(?: i|')s my thought process:.*?here(?: i|')s my response:", re.IGNORECASE | re.DOTALL)
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
    text = text[:_LONGEST_READ].strip()
    # All markup has one of these; most answers have none.
    if "<" in text or "◁" in text or ("[" in text and _IN_BRACKETS.search(text)):
        text = without_tokens(without_calls(_without_thoughts(final_channel(text))))
    elif text.startswith(HARMONY_NAMES) or "assistantfinal" in text:
        text = final_channel(text)
    elif text[:4].lower() == "here" and (in_words := _IN_WORDS.match(text)):
        text = text[in_words.end() :]
    text = text.strip()
    return text if is_visible(text) else ""


def is_visible(text: str) -> bool:
    """Return whether a reader sees anything of a text."""
    return any(unicodedata.category(char) not in _INVISIBLE and not _BLANK.match(char) for char in text)


def _without_thoughts(text: str) -> str:
    """Return text without thoughts, and without the tags around the answer that follows them. One pass."""
    said, before = [], ""
    position = begin = 0
    if first := _FIRST.match(text):
        position = begin = first.end()
    closing = _next_closing(text, position)
    while mark := _MARK.search(text, position):
        position = mark.end()
        if not mark["opening"] or _is_quoted(text, mark):
            continue
        if closing and closing.start() < position:
            closing = _next_closing(text, position)
        before = (before + text[max(begin, mark.start() - _LOOKED_BACK) : mark.start()])[-_LOOKED_BACK:]
        piece = text[begin : mark.start()]
        end = closing.end() if closing else len(text)
        if _is_thought(text, before, mark, closing):
            piece = piece.rstrip(" ") + _gap(text, before, end)
            before, position = before.rstrip(" "), end
        elif closing:
            # Named, and with it the tag that closes it.
            piece, before, position = text[begin:end], text[max(0, end - _LOOKED_BACK) : end], end
        else:
            continue
        said.append(piece)
        begin = position
    spoken = _without_unopened("".join(said) + text[begin:])
    around = _AROUND.fullmatch(spoken) if len(spoken) < len(text) else None
    return around[2] if around else spoken


def _gap(text: str, before: str, end: int) -> str:
    """Return what stays between the words around thoughts: a space within a line."""
    within = before and not before.endswith("\n") and text[end:] and not text.startswith(("\n", " "), end)
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


def _next_closing(text: str, position: int) -> re.Match[str] | None:
    # Code within thoughts may be left open: only a tag between quotes is passed over.
    return next((one for one in _CLOSING.finditer(text, position) if not _is_quoted(text, one)), None)


def _is_thought(text: str, before: str, opening: re.Match[str], closing: re.Match[str] | None) -> bool:
    """Return whether thoughts begin at an opening tag, rather than that somebody writes about the tag.

    before: the last characters of what is said before it.
    """
    if closing and _JOINING.fullmatch(text, opening.end(), closing.start()):
        return False
    if not before.strip():
        return True
    if not before.rpartition("\n")[2].strip():
        return closing is not None or not text.startswith(" ", opening.end())
    if closing is None:
        return False
    # Tags that end a line and begin one stand around a block.
    if text.startswith("\n", opening.end()) and text.startswith("\n", closing.start() - 1):
        return True
    follows_mark = before[-1] != " " and not before[-1].isalnum()
    starts_sentence = before.rstrip().endswith(tuple(_SENTENCE_ENDS)) or follows_mark
    return starts_sentence and not text.startswith(" ", closing.start() - 1)


def _ends_thoughts(text: str, closing: re.Match[str]) -> bool:
    """Return whether thoughts end at a closing tag that nothing opened: it follows a sentence, or stands by itself."""
    before = text[max(0, closing.start() - _LOOKED_BACK) : closing.start()]
    if text[closing.end() : closing.end() + 1] in tuple(".,;:!?)"):
        return False
    return not before.endswith(" ") or before.rstrip().endswith(tuple(_SENTENCE_ENDS))


def _is_quoted(text: str, match: re.Match[str]) -> bool:
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    return bool(before and after) and before in _QUOTES and after in _QUOTES
