"""The long run: `python -m bot.tests.system.totals --turns 1000 [--kill]`, on the database of DATABASE_URL."""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
django.setup()

from bot.tests.system.totals.run import run  # noqa: E402


def main() -> int:
    """Run once, print the totals and return 0; what does not agree is an AssertionError."""
    parser = argparse.ArgumentParser(prog="python -m bot.tests.system.totals", description=__doc__)
    parser.add_argument("--turns", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="printed, to repeat the choices")
    parser.add_argument("--kill", action="store_true", help="kill a worker half-way")
    options = parser.parse_args()
    sys.stdout.write(f"{options.turns} turns, seed {options.seed}\n")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parley-totals-") as folder:
        outcome = run(Path(folder), options.turns, options.seed, kill=options.kill)
    outcome.check()
    for name, counter in (("billed", outcome.books.billed), ("recorded", outcome.books.recorded)):
        calls = list(counter.elements())
        sys.stdout.write(
            f"{name}: {len(calls)} calls, tokens in {sum(call.input_tokens for call in calls)} "
            f"(cached {sum(call.cached_tokens for call in calls)}), out {sum(call.output_tokens for call in calls)}, "
            f"micro-dollars {sum(call.counted_micros for call in calls)}\n"
        )
    sys.stdout.write(f"ends: {dict(sorted(outcome.ends.items()))}\n")
    sys.stdout.write(
        f"days: {outcome.books.spent.get(('', ''), 0)} micro-dollars; reserved 0; in flight at the kill "
        f"{len(outcome.in_flight)}, lost with it {outcome.books.unrecorded.total()}; "
        f"{outcome.load.looks} looks at the caps; {time.monotonic() - began:.0f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
