"""Requests that fail, and what is logged and reported of them."""

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError

from bot.tests.support.fakes import ScriptedChannel
from config.logs.lines import JsonLines

CANARY = "+4915155555555"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(JsonLines().format(record)) for record in caplog.records if record.levelno >= logging.WARNING]


def away(*args: Any) -> Any:
    raise OperationalError("could not connect to server at db.internal")


class Broken(ScriptedChannel):
    """A channel with a bug."""

    def verify(self, account: Any, request: Any) -> bool:
        raise RuntimeError(f"a bug that {CANARY} found")
