"""Read an answer that was streamed although nobody asked for it: server-sent events, joined to one completion."""

import json
import re
from typing import Any

_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
# (Not splitlines(): it breaks at characters that JSON may hold as they are.)
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


def is_stream(raw: bytes) -> bool:
    """Return whether a body is server-sent events."""
    return raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"data:", b"event:", b"id:", b"retry:", b": ", b":\n"))


def joined(raw: bytes) -> dict[str, Any] | None:
    """Return the body of the completion that the events of a stream tell together; None when they are none.

    A stream that stops without saying so was cut: its finish_reason is "length".
    """
    body: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    parts: dict[str, list[Any]] = {}
    events, is_whole = _events(raw)
    for event in events:
        body |= {name: event[name] for name in ("id", "model", "usage", "error") if event.get(name)}
        choices = event.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            choice |= {name: value for name, value in choices[0].items() if value is not None}
            _gather(choices[0], parts)
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
    for line in _LINE_BREAK.split(raw.decode("utf-8-sig", "replace")):
        name, _, value = line.partition(":")
        if name.strip() != "data":
            continue
        if value.strip() == "[DONE]":
            return events, True
        try:
            event = json.loads(value)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            events.append(event)
    return events, False


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
        name: "".join(told) if all(isinstance(part, str) for part in told) else told
        for name, told in parts.items()
        if told
    }
