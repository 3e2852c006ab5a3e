"""Take away a model's control tokens: its chat format, where a server leaves it in the text. Pure functions."""

import re
from bisect import bisect_right

CLOSED_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)

# Harmony, the format of gpt-oss: messages of a role on a channel, of which only `final` is for the person.
_HARMONY_BEGINS = re.compile(r"\s*(?:<\|start\|>\s*\w+\s*)?<\|channel\|>|\s*(?:analysis|commentary)\s*<\|message\|>")
_HARMONY_GOES_ON = re.compile(
    r"<\|start\|>\s*assistant\s*(?:to=\S+\s*)?<\|channel\|>\s*(?:analysis|commentary|final)\b"
)
_HARMONY_MESSAGE = re.compile(
    r"(?:<\|channel\|>|\A)\s*(\w{1,20})\b[^<]{0,200}(?:<\|constrain\|>[^<]{0,200})?<\|message\|>(.*?)"
    r"(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
# The same where the server took the tokens away and left the names.
_HARMONY_WITHOUT_TOKENS = re.compile(r"\s*(?:analysis|commentary)(?=\S).*?assistantfinal(.*)", re.DOTALL)

_CONTROL = (
    r"(?:<\|[a-z_]{2,40}\|>|<｜[^<>｜\n]{2,40}｜>|</?s>|<(?:eos|bos|pad|turn\||\|turn)>|<(?:end|start)_of_turn>"
    r"|\[/?INST\]|\[e~\[)"
)
_STARTS = (
    r"<s>|<bos>|<\|(?:im_start|start_header_id|start|begin_of_text|assistant|user|system|start_response"
    r"|begin_of_solution)\|>|<start_of_turn>|<\|turn>|\[INST\]|<｜[^<>｜\n]{0,40}(?:begin|User|Assistant)[^<>｜\n]{0,40}｜>"
)
_ENDS = (
    r"(?:<\|(?:im_end|eot_id|end_of_text|endoftext|eom_id|end|return)\|>|</s>|<eos>|<end_of_turn>"
    r"|<｜[^<>｜\n]{0,40}end[^<>｜\n]{0,40}｜>)"
)
_LEADING = re.compile(
    rf"\s*(?:{_STARTS})(?:\s*(?:assistant|model)\s*?(?:\n|<\|end_header_id\|>|<\|message\|>))?|\s*{_CONTROL}(?=\n|\S)",
    re.IGNORECASE,
)
_TRAILING = re.compile(rf"{_CONTROL}\Z", re.IGNORECASE)
_LONGEST_TOKEN = 50
# A model that missed its end goes on with the next turn; or only the token stands between two sentences.
_RUN_ON = re.compile(
    rf"{_CONTROL}\s*(?:{_STARTS})|(?<=[.!?…。！？]){_ENDS}(?=\s|\w)|^{_ENDS}(?=\n|\w)",
    re.IGNORECASE | re.MULTILINE,
)


def final_channel(text: str) -> str:
    """Return what harmony's final channel says, of a text in that format; else the text."""
    if bare := _HARMONY_WITHOUT_TOKENS.fullmatch(text):
        return bare[1]
    code = spans(CLOSED_CODE, text)
    goes_on = any(not is_in(match.start(), code) for match in _HARMONY_GOES_ON.finditer(text))
    if not goes_on and not _HARMONY_BEGINS.match(text):
        return text
    return "".join(said for channel, said in _HARMONY_MESSAGE.findall(text) if channel == "final")


def without_tokens(text: str) -> str:
    """Return text without the control tokens around it, and without the turns that follow one."""
    while leading := _LEADING.match(text):
        text = text[leading.end() :]
    code = spans(CODE, text)
    for run_on in _RUN_ON.finditer(text):
        if not is_in(run_on.start(), code):
            text = text[: run_on.start()]
            break
    text = text.rstrip()
    while trailing := _TRAILING.search(text, max(0, len(text) - _LONGEST_TOKEN)):
        text = text[: trailing.start()].rstrip()
    return text


def spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Return where a pattern is found."""
    return [match.span() for match in pattern.finditer(text)]


def is_in(position: int, spans: list[tuple[int, int]]) -> bool:
    """Return whether a position is in one of some spans, which are in order."""
    at = bisect_right(spans, position, key=lambda span: span[0]) - 1
    return at >= 0 and position < spans[at][1]
