"""Every part by its name."""

from benchmarks.parts import (
    ack,
    busy,
    desk,
    growth,
    held,
    inflight,
    loglines,
    pages,
    pickup,
    purge,
    soak,
    turn,
    usage,
    workers,
)

PARTS = {
    "ack": ack.measure,
    "busy": busy.measure,
    "pages": pages.measure,
    "turn": turn.measure,
    "inflight": inflight.measure,
    "pickup": pickup.measure,
    "held": held.measure,
    "workers": workers.measure,
    "growth": growth.measure,
    "soak": soak.measure,
    "usage": usage.measure,
    "purge": purge.measure,
    "desk": desk.measure,
    "logging": loglines.measure,
}
# They ask no database: once is enough.
WITHOUT_DATABASE = {"logging"}
# Of the size that it is measured with, SQLite is none that anybody runs.
ON_POSTGRES_ONLY = {"desk", "growth", "workers"}
# They take long, and are measured only when they are named.
NAMED_ONLY = ("growth", "workers", "soak")
CASES = held.NAMES
