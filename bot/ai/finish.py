"""Read why a model stopped, and end an answer that was cut where a reader would pause. Pure functions."""

import re
from typing import Any, Literal

from bot.text import sentence_ends

Ending = Literal["whole", "cut", "withheld", "failed"]

# OpenAI's words, and those of other APIs that gateways pass on.
_CUT = {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded", "incomplete"}
_WITHHELD = {"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "sensitive"}
_FAILED = {
    *("error", "network_error", "insufficient_system_resource", "abort", "aborted", "cancelled", "canceled"),
    *("malformed_function_call", "malformed_response", "timeout"),
}

_LIST_MARKER = re.compile(r"(?:^|\n)[ \t]*[\w]{1,3}[.)]\Z")
ELLIPSIS = "…"
_FENCE = "```"
_CLOSED_FENCE = f"\n{_FENCE}\n{ELLIPSIS}"


def ending(finish_reason: Any) -> Ending:
    """Return what a choice's finish_reason says of its text; a reason nobody knows says nothing."""
    reason = finish_reason.lower() if isinstance(finish_reason, str) else ""
    if reason in _CUT:
        return "cut"
    if reason in _WITHHELD:
        return "withheld"
    return "failed" if reason in _FAILED else "whole"


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
