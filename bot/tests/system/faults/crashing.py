"""Crash points: named places where a process kills itself with SIGKILL, as a power cut would.

PARLEY_CRASH_AT=after_completion_stored dies there the first time, after_completion_stored:3 the third;
before_completion:poison whenever the call is given something that holds the word.
"""

import functools
import inspect
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, NoReturn

from django.utils.module_loading import import_string

VARIABLE = "PARLEY_CRASH_AT"


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """Before or after a call of `owner`.`function`; after one only when it did not return an empty list."""

    owner: str
    function: str
    before: bool = False


QUERYSETS = "bot.models"
# In the order a message passes them.
WEB_POINTS: dict[str, CrashPoint] = {
    "before_group_stored": CrashPoint("bot.queue.accept", "_write", before=True),
    "before_message_stored": CrashPoint(f"{QUERYSETS}.InboundMessageQuerySet", "store", before=True),
    "after_message_stored": CrashPoint(f"{QUERYSETS}.InboundMessageQuerySet", "store"),
    "before_delivery_committed": CrashPoint("bot.queue.accept", "_apply"),
    # Committed, and nobody of the group is answered yet.
    "after_group_committed": CrashPoint("bot.queue.accept", "store"),
}
WORKER_POINTS: dict[str, CrashPoint] = {
    "before_leases_committed": CrashPoint(f"{QUERYSETS}.LeaseQuerySet", "take"),
    "after_claim": CrashPoint("bot.worker.claims", "claim"),
    "before_completion": CrashPoint("bot.ai.openai.OpenAIModel", "complete", before=True),
    "after_completion": CrashPoint("bot.ai.openai.OpenAIModel", "complete"),
    "before_completion_committed": CrashPoint("bot.worker.replies", "insert_rows"),
    "after_completion_stored": CrashPoint("bot.worker.replies", "store_replies"),
    "after_sent": CrashPoint("bot.channels.whatsapp.adapter.WhatsAppChannel", "send"),
    "before_settlement_committed": CrashPoint("bot.worker.settlement", "_settle_parts"),
    "after_settled": CrashPoint("bot.worker.settlement", "settle"),
    "after_renewed": CrashPoint("bot.worker.claims", "renew"),
    "before_released": CrashPoint("bot.worker.claims", "release", before=True),
}
# Passed by the later parts of a reply, and by documents, only: the first send begins with the reply's being stored.
LATER_PART_POINTS: dict[str, CrashPoint] = {
    "before_sending_committed": CrashPoint(f"{QUERYSETS}.OutboundMessageQuerySet", "begin_sending"),
    "after_sending_committed": CrashPoint("bot.worker.replies", "begin_sending"),
}
# Passed by a message with the code of an invite only.
JOINING_POINTS: dict[str, CrashPoint] = {
    "after_code_redeemed": CrashPoint("bot.pipeline.commands.start", "_redeem"),
}
# Passed by a reply with a document only.
DOCUMENT_POINTS: dict[str, CrashPoint] = {
    "after_uploaded": CrashPoint("bot.channels.whatsapp.adapter.WhatsAppChannel", "upload"),
}
POINTS = {**WEB_POINTS, **WORKER_POINTS, **LATER_PART_POINTS, **JOINING_POINTS, **DOCUMENT_POINTS}


def install(chosen: str) -> None:
    """Make this process die at the chosen point ("name", "name:n" for the n-th time, "name:word" with that word).

    Raises:
        KeyError: there is no such point.
        AttributeError, ImportError: the code it names has moved: the point must follow.
    """
    name, _, when = chosen.partition(":")
    point = POINTS[name]
    owner = _owner(point.owner)
    original = getattr(owner, point.function)
    reached = Countdown(int(when or 1)) if when.isdecimal() or not when else Poison(when)
    setattr(owner, point.function, wrapped(original, reached, before=point.before))


class Poison:
    """Dies at every call whose arguments hold a word."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, *args: Any) -> None:
        # (As dictionaries: what people write is left out of the repr of ours.)
        given = [asdict(argument) for argument in args if is_dataclass(argument) and not isinstance(argument, type)]
        if self.word in str(given):
            die()


class Countdown:
    """Dies at the n-th call."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, *args: Any) -> None:
        self.left -= 1
        if self.left <= 0:
            die()


def die() -> NoReturn:
    """End this process at once: no handler, no finally, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def wrapped(original: Callable[..., Any], reached: Callable[..., None], *, before: bool) -> Callable[..., Any]:
    """Return original with reached() called, with its arguments, before it or after it returned something."""
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def later(*args: Any, **kwargs: Any) -> Any:
            if before:
                reached(*args)
            result = await original(*args, **kwargs)
            if not before:
                reached(*args)
            return result

        return later

    @functools.wraps(original)
    def now(*args: Any, **kwargs: Any) -> Any:
        if before:
            reached(*args)
        result = original(*args, **kwargs)
        # An empty list is the idle case: a claim that found nothing, a batch with nothing in it.
        if not before and result != []:
            reached(*args)
        return result

    return now


def _owner(path: str) -> Any:
    """Return a module or a class by its dotted path."""
    try:
        return import_string(path)
    except ImportError:
        return __import__(path, fromlist=["_"])
