"""Do one kind of work in this process, with marks between its parts: `python -m benchmarks.counted.work webhooks`.

The parts are one that does not count, a short one, a long one, and one whose SQL statements are counted. Each mark is a
call of getppid(2), at which callgrind writes down what it has counted (benchmarks.counted.callgrind). Prints a JSON
object: `statements` of the last part.
"""

import gc
import json
import os
import random
import sys

import django

from benchmarks.counted.callgrind import begin_counting
from benchmarks.counted.sizes import PARTS


def main() -> None:
    """Do the work that the command line names."""
    kind = sys.argv[1]
    # Ids of their own are random, and so would be where they go in an index.
    os.urandom = random.Random(0).randbytes
    django.setup()
    from django.conf import settings

    from benchmarks.counted import turns, webhooks
    from benchmarks.counted.statements import StatementCounter

    # It takes longer here than a connection may last.
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None
    counter = StatementCounter()

    def begin(part: int) -> None:
        if part == 1:
            # A full collection is worth a hundred messages: in which part it falls is luck, so what is there by now,
            # which is most, is left out of it.
            gc.collect()
            gc.freeze()
            begin_counting()
        if part in (1, 2, 3):
            os.getppid()
        if part == 3:
            counter.switch_on()

    {"webhooks": webhooks.deliver, "turns": turns.answer}[kind](PARTS, begin)
    json.dump({"statements": counter.count}, sys.stdout)


if __name__ == "__main__":
    main()
