"""Run functions at the same moment, each with a database connection of its own, as separate processes would."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def together(*functions: Callable[[], Any]) -> list[Any]:
    """Return what each function returned, or the exception it raised, in order."""
    start = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)

    def run(position: int, function: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            results[position] = function()
        except Exception as error:  # the caller looks at it
            results[position] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results
