"""Requests that fail, and what is logged and reported of them."""

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError

from config.logs.lines import JsonLines


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(JsonLines().format(record)) for record in caplog.records if record.levelno >= logging.WARNING]


def away(*args: Any) -> Any:
    raise OperationalError("could not connect to server at db.internal")
