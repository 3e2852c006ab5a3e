"""Shorter waits for processes under test: what takes half a minute in production is not waited for a hundred times.

PARLEY_HURRY="heartbeat=0.2 drain=0.5" sets them, in seconds, in that process only.
"""

from collections.abc import Callable
from typing import Any

import aiohttp
from django.utils.module_loading import import_string

VARIABLE = "PARLEY_HURRY"


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, connect=seconds / 2)


# Name → module, constant, and how it is made of seconds.
WAITS: dict[str, tuple[str, str, Callable[[float], Any]]] = {
    "heartbeat": ("bot.worker.upkeep", "HEARTBEAT_SECONDS", float),
    "drain": ("bot.worker.worker", "DRAIN_SECONDS", float),
    "send": ("bot.channels.whatsapp.api", "TIMEOUT", _timeout),
}


def install(wanted: str) -> None:
    """Set the named waits ("name=seconds", apart by spaces).

    Raises:
        KeyError: there is no such wait.
        AttributeError, ImportError: the constant has moved: the table must follow.
    """
    for word in wanted.split():
        name, _, seconds = word.partition("=")
        module, constant, make = WAITS[name]
        import_string(f"{module}.{constant}")
        setattr(__import__(module, fromlist=["_"]), constant, make(float(seconds)))
