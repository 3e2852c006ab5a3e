"""The lines that are logged, as they are written."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from config.logs.lines import JsonLines

Lines = Callable[..., list[dict[str, Any]]]


@contextmanager
def logged() -> Iterator[Lines]:
    """Give, inside the block, the lines logged so far that have some fields."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    def read(**fields: Any) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in written.getvalue().splitlines()]
        return [line for line in found if fields.items() <= line.items()]

    yield read
    root.removeHandler(handler)
    root.setLevel(level)
