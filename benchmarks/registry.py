"""Every part by its name."""

from benchmarks.parts import ack, busy, desk, held, inflight, loglines, pages, pickup, purge, turn, usage

PARTS = {
    "ack": ack.measure,
    "busy": busy.measure,
    "pages": pages.measure,
    "turn": turn.measure,
    "inflight": inflight.measure,
    "pickup": pickup.measure,
    "held": held.measure,
    "usage": usage.measure,
    "purge": purge.measure,
    "desk": desk.measure,
    "logging": loglines.measure,
}
# They ask no database: once is enough.
WITHOUT_DATABASE = {"logging"}
# Of the size that it is measured with, SQLite is none that anybody runs.
ON_POSTGRES_ONLY = {"desk"}
# They take long, and are measured only when they are named.
NAMED_ONLY = ()
CASES = held.NAMES
