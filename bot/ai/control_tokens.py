"""Take away a model's control tokens: its chat format, where a server leaves it in the text. Pure functions."""

import re
from bisect import bisect_right

CLOSED_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)

# Harmony, the format of gpt-oss: messages of a role on a channel, of which only `final` is for the person.
_HARMONY_BEGINS = re.compile(
    r"\s*(?:<\|start\|>\s*\w+\s*)?<\|channel\|>(?! )|\s*(?:analysis|commentary|final)\s*<\|message\|>"
)
# (Bounded, so that thousands of beginnings cost no more than their number.)
_HARMONY_GOES_ON = re.compile(
    r"<\|start\|>\s*assistant\s*(?:to=\S{1,100}\s*)?<\|channel\|>\s*(?:analysis|commentary|final)\b"
)
_HARMONY_MESSAGE = re.compile(
    r"(?:<\|channel\|>|\A)\s*(\w{1,20})\b[^<]{0,200}(?:<\|constrain\|>[^<]{0,200})?<\|message\|>(.*?)"
    r"(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
# The same where the server took the tokens away and left the names.
HARMONY_NAMES = ("analysis", "commentary", "assistant")
_BEGINS_WITH_NAME = re.compile(r"(?:assistant)?(?:analysis|commentary)")
# How it mostly begins to think, where only the name is left.
_THINKS = re.compile(r"(?:We|The|User|I|Need|Let|They|This|Just|Okay|So)\b")
_FINAL = re.compile(r"assistantfinal")
# (Behind thoughts whose name the server's template has written.)
_FINAL_AFTER_SENTENCE = re.compile(r"(?<=[.!?…)\n])assistantfinal(?=\S)")
_ROLE = re.compile(r"assistant\s*\n")

_CONTROL = (
    r"(?:<\|/?[a-z0-9_]{2,40}\|>|<｜[^<>｜\n]{2,40}｜>|</?s>|<(?:eos|bos|eot|pad|sep|unk|turn\||\|turn)>"
    r"|<(?:end|start)_of_turn>"
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
# Calls of tools: of Hermes, Qwen and GLM, Claude, DeepSeek; Mistral, Llama, Kimi.
# One without its end goes on to the text's.
_TOOL_CALLS = re.compile(
    r"^[ \t]*(?:<tool_call>(?=\s*(?:\{|<function=|\w+\s*<arg_key>)).*?(?:</tool_call>|\Z)"
    r"|<(｜DSML｜)?function_calls>(?=\s*<).*?(?:</(?:｜DSML｜)?function_calls>|\Z))"
    r"|\[TOOL_CALLS\]\s*(?:\[\{|\w+(?:\[|\{)).*|<\|python_tag\|>(?=[\w{\[]).*"
    r"|<\|tool_calls_section_begin\|>\s*<.*|<｜tool▁calls▁begin｜>\s*<.*",
    re.DOTALL | re.MULTILINE,
)
# A model that missed its end goes on with the next turn; or only the token stands between two sentences.
_RUN_ON = re.compile(
    rf"{_CONTROL}\s*(?:{_STARTS})|(?<=[.!?…。！？]){_ENDS}(?=\s|\w)|^{_ENDS}(?=\n|\w)",
    re.IGNORECASE | re.MULTILINE,
)


def final_channel(text: str) -> str:
    """Return what harmony's final channel says, of a text in that format; else the text."""
    text = text.lstrip()
    named = _BEGINS_WITH_NAME.match(text)
    if final := (_FINAL if named else _FINAL_AFTER_SENTENCE).search(text):
        return text[final.end() :]
    if named and _THINKS.match(text, named.end()) and "<|" not in text:
        return ""
    if role := _ROLE.match(text):
        return text[role.end() :]
    code = spans(CLOSED_CODE, text)
    goes_on = any(not is_in(match.start(), code) for match in _HARMONY_GOES_ON.finditer(text))
    if not goes_on and not _HARMONY_BEGINS.match(text):
        return text
    return "".join(said for channel, said in _HARMONY_MESSAGE.findall(text) if channel == "final")


def without_tokens(text: str) -> str:
    """Return text without the control tokens around it, and without the turns that follow one."""
    begin = 0
    while leading := _LEADING.match(text, begin):
        begin = leading.end()
    text = text[begin:]
    code = spans(CODE, text)
    for run_on in _RUN_ON.finditer(text):
        if not is_in(run_on.start(), code):
            text = text[: run_on.start()]
            break
    end = len(text.rstrip())
    while trailing := _TRAILING.search(text, max(0, end - _LONGEST_TOKEN), end):
        end = trailing.start()
        while end and text[end - 1].isspace():
            end -= 1
    return text[:end]


def without_calls(text: str) -> str:
    """Return text without calls of tools, which nobody made out of it."""
    code = spans(CODE, text)
    return _TOOL_CALLS.sub(lambda call: call[0] if is_in(call.start(), code) else "", text)


def spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Return where a pattern is found."""
    return [match.span() for match in pattern.finditer(text)]


def is_in(position: int, spans: list[tuple[int, int]]) -> bool:
    """Return whether a position is in one of some spans, which are in order."""
    at = bisect_right(spans, position, key=lambda span: span[0]) - 1
    return at >= 0 and position < spans[at][1]
