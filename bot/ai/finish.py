"""Read why a model stopped, and end an answer that was cut where a reader would pause. Pure functions."""

import re
from typing import Any, Literal

from bot.text import sentence_ends

Ending = Literal["whole", "cut", "withheld", "failed"]

# OpenAI's words, and those of other APIs that gateways pass on: Anthropic, Bedrock, Cohere, Gemini, TGI, DeepSeek.
_CUT = {
    *("length", "max_tokens", "max_output_tokens", "max_new_tokens", "max_length", "maxtokens", "token_limit"),
    *("model_length", "model_context_window_exceeded", "context_length", "incomplete", "error_limit", "time_limit"),
    *("pause_turn", "repetition_truncation"),
}
_WITHHELD = {
    *("content_filter", "content_filtered", "guardrail_intervened", "refusal", "error_toxic", "model_armor"),
    *("safety", "image_safety", "recitation", "blocklist", "prohibited_content", "spii", "sensitive", "language"),
}
# And whatever ends with "error".
_FAILED = {
    *("insufficient_system_resource", "abort", "aborted", "cancelled", "canceled", "user_cancel", "timeout"),
    *("malformed_function_call", "malformed_response", "unexpected_tool_call", "too_many_tool_calls"),
}

_LIST_MARKER = re.compile(r"(?:^|\n)[ \t]*[\w]{1,3}[.)]\Z")
ELLIPSIS = "…"
_FENCE = "```"
_CLOSED_FENCE = f"\n{_FENCE}\n{ELLIPSIS}"


def ending(finish_reason: Any) -> Ending:
    """Return what a choice's finish_reason says of its text; a reason nobody knows says nothing."""
    if finish_reason == "stop" or not isinstance(finish_reason, str):
        return "whole"
    reason = finish_reason.lower().replace("-", "_").removeprefix("finish_reason_")
    if reason in _CUT:
        return "cut"
    if reason in _WITHHELD:
        return "withheld"
    return "failed" if reason in _FAILED or reason.endswith("error") else "whole"


def end_cut(text: str, longest: int) -> str:
    """Return a text that was cut, in at most `longest` characters, ended at a sentence or a line, with an ellipsis.

    Where the last whole sentence ends in the first half of it the last words stay: too much would be lost.
    """
    text = _shortened(text, longest - len(ELLIPSIS))
    if text.count(_FENCE) % 2:
        return _shortened(text, longest - len(_CLOSED_FENCE)) + _CLOSED_FENCE
    most = longest - len(ELLIPSIS) - 1
    ends = [end for end in sentence_ends(text) if not _LIST_MARKER.search(text[max(0, end - 20) : end])]
    last = max([*(end for end in ends if end <= most), text.rfind("\n", 0, most)])
    if last >= len(text) / 2:
        return f"{text[:last].rstrip()} {ELLIPSIS}"
    return text.rstrip(" ,;:–…") + ELLIPSIS


def _shortened(text: str, most: int) -> str:
    """Return at most so many characters of a text, without half a word where there are several."""
    if len(text) > most:
        words = text[:most]
        text = words if text[most].isspace() else words.rpartition(" ")[0] or words
    return text.rstrip()
