"""Liveness and readiness: /healthz says that this process answers, /readyz whether what it depends on does.

Every check gives up by itself, so /readyz answers within two seconds whatever hangs. Answers name the checks and
nothing else: no address, no error text, nobody's name.
"""

from bot.monitoring.health.views import forget, healthz, readyz

__all__ = ["forget", "healthz", "readyz"]
