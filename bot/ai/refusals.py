"""Read why a server refuses a request, from the codes and words of a dozen dialects: pure functions from bytes.

The same thing is said with status 400, 413, 422 or 500, under `error`, `detail` or nothing, with a code or in words.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bot.ai.answers import word
from bot.ai.base import ChatMessage, RefusalKind
from config.logs.redaction import redact_foreign

LONGEST_WORDS = 200
# How much of a refusal is read: some servers quote the whole prompt in it.
LONGEST_TEXT = 4_000
# Smaller numbers are no size of a context: by how much it was exceeded, or a parameter.
SMALLEST_WINDOW = 64
# Shorter words tell nothing about who wrote them, and stand in every message.
SHORTEST_QUOTE = 3

CAP_NAMES: Final = ("max_completion_tokens", "max_tokens")
_UNKNOWN_PARAMETER = re.compile(
    r"unsupported|not supported|unrecogni[sz]ed|unknown|not permitted|not allowed|extra_forbidden|unexpected|deprecated"
)
# The first that matches counts: what a message says of tokens may stand beside a role or a model.
_KINDS: Final[tuple[tuple[RefusalKind, re.Pattern[str]], ...]] = (
    (
        RefusalKind.SYSTEM_ROLE,
        re.compile(
            r"(?:system|developer)\W{0,3}\s*(?:role|message|instruction|prompt)?s?\W{0,3}\s*(?:is|are)?\s*"
            r"(?:not |n't |un)(?:yet |be )?(?:supported|enabled|allowed|accepted|permitted)"
            r"|do(?:es)?(?: not|n['’]t) support\W+(?:the )?(?:system|developer)|should be '?user'? or '?assistant"
            r"|(?:unexpected|invalid|unsupported|unknown) (?:message )?role\W{1,4}(?:system|developer)"
            r"|only user(?:,| and) (?:and )?(?:assistant|model) roles are supported"
        ),
    ),
    (
        RefusalKind.ALTERNATION,
        re.compile(
            r"roles? (?:must|should|have to|need to|to) (?:be )?alternat|alternat\w* between .{0,20}user"
            r"|should be alternating|first message must (?:use|be|have)"
            r"|(?:must|should) (?:start|begin) with an? \W?user"
            r"|(?:multiple|consecutive|successive) \W{0,2}(?:user|assistant|system|messages?|roles?)\b"
            r"|invalid_request_message_order|last (?:message|role)\b.{0,20}\buser\b"
        ),
    ),
    (
        RefusalKind.TOO_LONG,
        re.compile(
            r"context_length_exceeded|exceed_context_size|context_window_exceeded|prompt_too_long|request_too_large"
            r"|tokens_limit_reached|string_above_max_length|contextwindowexceeded"
            r"|(?:exceed|longer than|larger than|beyond|overflow|too (?:long|large|big) for|fit)\w*\b.{0,80}"
            r"\bcontext\b.{0,3}(?:length|window|size|limit)?"
            r"|context (?:the )?overflow"
            r"|(?:maximum|max|available) (?:context|prompt|model|input) (?:length|size|window)"
            r"|(?:prompt|inputs?|request|conversation|messages?)\b.{0,40}\b(?:is |are )?too (?:long|large|big)\b"
            r"|input token count.{0,40}exceeds|too many (?:input |prompt )?tokens"
            r"|reduce (?:the |your )(?:length|size) of|reduce your (?:prompt|message|input)"
            r"|inputs?\W.{0,40}must (?:be <=|have less than)"
            r"|number of tokens.{0,60}(?:exceed|longer|greater)|maximum number of (?:input )?tokens allowed"
            r"|(?:prompt|inputs?|messages?|request)\b.{0,40}\bexceed\w*\b.{0,20}\b(?:max|model|length|limit)\w*"
            r"|exceed\w*\b.{0,40}\b(?:token limit|max.{0,20}tokens)|range of input length should be"
            r"|max_(?:completion_)?tokens must be at least 1, got -"
            r"|超长|超过.{0,20}(?:长度|上下文|token)"
        ),
    ),
    (
        RefusalKind.ACCOUNT,
        re.compile(r"\bapi[ _]key\b|api_key_invalid|credit balance|\bbilling|insufficient[_ ](?:balance|credit|funds)"),
    ),
    (
        RefusalKind.UNKNOWN_MODEL,
        re.compile(
            r"model_not_found|invalid_model|\bmodel\b.{0,80}(?:not found|not exist|is not available|is invalid)"
            r"|(?:unknown|invalid|no such) model\b|not a valid model|model_decommissioned|no endpoints found for"
        ),
    ),
    (
        RefusalKind.FILTERED,
        re.compile(
            r"content_filter|content_policy|responsibleaipolicy|content management policy|content policy"
            r"|safety (?:system|filter|reasons)|prohibited content|\bflagged\b|content exists risk"
            r"|data_inspection_failed|inappropriate content|不安全|敏感"
        ),
    ),
)
_NUMBER = r"\D{0,25}?(?<!\d)(\d+)"
# How large the context is, as it is named: the first of these that stands in the words.
_WINDOWS = (
    re.compile(rf"(?:maximum|max) (?:context|prompt|model|input|sequence) (?:length|size|window)(?! by\b){_NUMBER}"),
    re.compile(r"(\d+) max(?:imum)? (?:context|prompt|model|input)"),
    re.compile(r"> (\d+)"),
    re.compile(r"(?:<=|less than|cannot exceed|up to) (\d+)"),
    re.compile(rf"tokens allowed{_NUMBER}"),
    re.compile(rf"context (?:length|window|size|limit)(?! by\b){_NUMBER}"),
    re.compile(r"maximum allowed (\d+)"),
    re.compile(rf"\blimit(?! exceeded by\b){_NUMBER}"),
)
_NOT_PERMANENT = frozenset({401, 403, 408, 409})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server says to a request it does not take.

    message: its words. text: its codes and words in lower case. Both may quote the prompt. window: how many tokens its
    context has, 0 when it does not say.
    """

    kind: RefusalKind
    text: str
    message: str
    window: int = 0


def read_refusal(status: int, raw: bytes) -> Refusal:
    """Return what a refusal of this status says; kind OTHER when it is not known, or not about the request."""
    body = _parsed(raw)
    error = _error(body)
    message = "; ".join(_messages(error))[:LONGEST_TEXT]
    codes = [word(error.get(name)) for name in ("code", "type", "param", "status")]
    text = " ".join([*codes, message]).lower()
    kind = _kind(status, text)
    # (A gateway's moderation is a 403 like a refused key.)
    if status in _NOT_PERMANENT and not (status == 403 and kind is RefusalKind.FILTERED):
        kind = RefusalKind.OTHER
    window = _window(error, text) if kind is RefusalKind.TOO_LONG else 0
    return Refusal(kind, text, message, window)


def safe_words(message: str, asked: Iterable[ChatMessage]) -> str:
    """Return a refusal's message for the log: redacted, cut, and without a word of what was asked.

    Providers quote prompts, whole or in part.
    """
    quoted = " ".join(it.content for it in asked).casefold()
    shown = [_without(quoted, part) for part in redact_foreign(message[: LONGEST_WORDS * 2]).split()]
    return " ".join(shown)[:LONGEST_WORDS]


def _without(quoted: str, part: str) -> str:
    # An escaped letter could be any.
    if "\\" in part:
        return "…"
    names = re.findall(r"\w+", part.casefold())
    return "…" if any(len(name) >= SHORTEST_QUOTE and name in quoted for name in names) else part


def names_unknown_cap(refusal: Refusal, cap_name: str) -> bool:
    """Return whether a server refuses the name under which it was told the answer's cap."""
    return re.search(rf"\b{cap_name}\b", refusal.text) is not None and bool(_UNKNOWN_PARAMETER.search(refusal.text))


def _kind(status: int, text: str) -> RefusalKind:
    kind = next((kind for kind, pattern in _KINDS if pattern.search(text)), RefusalKind.OTHER)
    # Too many tokens a minute are throttling, unless this one request alone has more.
    if status == 429 and not (kind is RefusalKind.TOO_LONG and "request too large" in text):
        return RefusalKind.OTHER
    if kind is RefusalKind.OTHER and status == 413:
        return RefusalKind.TOO_LONG
    return kind


def _window(error: dict[str, Any], text: str) -> int:
    for name in ("n_ctx", "context_length", "max_context_length"):
        if type(number := error.get(name)) is int and number >= SMALLEST_WINDOW:
            return number
    plain = re.sub(r"(?<=\d)[,_](?=\d{3})", "", text)
    named = (int(match[1][:9]) for pattern in _WINDOWS for match in pattern.finditer(plain))
    return next((number for number in named if number >= SMALLEST_WINDOW), 0)


def _parsed(raw: bytes) -> Any:
    """Return what a body says as JSON; what is none is a message, unless it is a page."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        text = raw[:LONGEST_TEXT].decode(errors="replace").strip()
        return "" if text.startswith(("<", "{", "[")) else text


def _error(body: Any) -> dict[str, Any]:
    """Return the object that says what is wrong: `error`, the first of a list, or the body itself."""
    if isinstance(body, dict) and not isinstance(body.get("error"), dict) and isinstance(body.get("errors"), list):
        body = body["errors"]
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, dict):
        return {"message": body}
    error = body.get("error")
    return error if isinstance(error, dict) else body


def _messages(error: dict[str, Any]) -> Iterator[str]:
    for name in ("message", "detail", "error", "msg", "reason", "title"):
        if isinstance(said := error.get(name), str):
            yield said
        elif isinstance(said, dict | list):
            yield json.dumps(said)[:LONGEST_TEXT]
    for name in ("code", "innererror"):
        if isinstance(said := error.get(name), dict):
            yield json.dumps(said)[:LONGEST_TEXT]
