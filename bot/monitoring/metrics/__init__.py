"""Metrics: call `count("messages_received", bot=…, kind=…)` after the commit of what it counts; /metrics shows them.

Each process counts in memory and adds to rows of the database every few seconds, so that any web process can answer for
all processes on all machines.
"""

from bot.monitoring.metrics.flushing import FLUSH_SECONDS, flush, flush_in_background
from bot.monitoring.metrics.memory import count, observe, pending

__all__ = ["FLUSH_SECONDS", "count", "flush", "flush_in_background", "observe", "pending"]
