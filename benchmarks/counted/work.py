"""Do one kind of work in this process, with marks between its parts: `python -m benchmarks.counted.work webhooks`.

The parts are one that does not count, a short one, a long one, and one whose SQL statements are counted. Each mark is a
call of getppid(2), at which benchmarks.counted.callgrind has the count of instructions written down. Prints a JSON
object: `statements` of the last part, which is as long as the short one.
"""

import json
import os
import sys

import django

SHORT, LONG = 200, 400
# How many of each part, in order; the first also fills the caches of the process.
PARTS = (SHORT, SHORT, LONG, SHORT)


def mark() -> None:
    """End a part of the work."""
    os.getppid()


def main() -> None:
    """Do the work that the command line names."""
    kind = sys.argv[1]
    django.setup()
    from benchmarks.counted import turns
    from benchmarks.counted import webhooks as receiving
    from benchmarks.counted.statements import StatementCounter

    counter = StatementCounter()
    work = {"webhooks": receiving.deliver, "turns": turns.answer}[kind]

    def begin(part: int) -> None:
        if part:
            mark()
        if part == len(PARTS) - 1:
            counter.switch_on()

    work(PARTS, begin)
    json.dump({"statements": counter.count}, sys.stdout)


if __name__ == "__main__":
    main()
