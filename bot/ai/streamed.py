"""Read an answer that was streamed although nobody asked for it: server-sent events, joined to one completion."""

import json
import re
from typing import Any

_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
# (Not splitlines(): it breaks at characters that JSON may hold as they are.)
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


def is_stream(raw: bytes) -> bool:
    """Return whether a body is server-sent events."""
    return raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"data:", b"event:", b"id:", b"retry:", b":"))


def joined(raw: bytes) -> dict[str, Any] | None:
    """Return the body of the completion that the events of a stream tell together; None when they are none.

    A stream that stops without saying so was cut: its finish_reason is "length".
    """
    body: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    parts: dict[str, list[Any]] = {}
    events, is_whole = _events(raw)
    for event in events:
        body |= {name: event[name] for name in ("id", "model", "error") if event.get(name)}
        if isinstance(usage := event.get("usage"), dict):
            # (Anthropic tells of the prompt first, and of the answer last.)
            body["usage"] = {**body.get("usage", {}), **usage}
        choices = event.get("choices")
        for told in choices if isinstance(choices, list) else ():
            if isinstance(told, dict) and told.get("index") in (None, 0):
                choice |= {name: value for name, value in told.items() if value is not None}
                _gather(told, parts)
    if choice:
        message = _message(parts)
        if message or not isinstance(choice.get("message"), dict):
            choice["message"] = message
        if not is_whole:
            choice.setdefault("finish_reason", "length")
        body["choices"] = [choice]
    return body or None


def _events(raw: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Return the JSON objects of a stream's events, and whether it says that it is done."""
    events: list[dict[str, Any]] = []
    # Lines of an event that has several.
    begun: list[str] = []
    for line in (*_LINE_BREAK.split(raw.decode("utf-8-sig", "replace")), ""):
        name, _, value = line.partition(":")
        is_data = name.strip() == "data"
        if is_data and value.strip() == "[DONE]":
            return events, True
        event = _parsed(value) if is_data else None if line else _parsed("\n".join(begun))
        if isinstance(event, dict):
            events.append(event)
        if not line or event is not None:
            begun.clear()
        elif is_data:
            begun.append(value)
    return events, False


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _gather(choice: dict[str, Any], parts: dict[str, list[Any]]) -> None:
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return
    for name in _TEXTS:
        # (Mistral streams thoughts as lists of parts, and the answer as texts.)
        told = delta.get(name)
        parts.setdefault(name, []).extend(told if isinstance(told, list) else [told] if isinstance(told, str) else [])


def _message(parts: dict[str, list[Any]]) -> dict[str, Any]:
    """Return the message of all parts: texts joined, unless there are parts that say what they are."""
    return {
        name: _whole("".join(told)) if all(isinstance(part, str) for part in told) else told
        for name, told in parts.items()
        if told
    }


def _whole(text: str) -> str:
    """Return text in which halves of a character that came in two events are one."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
