"""Health probes: liveness of this process at /healthz, readiness of its dependencies at /readyz.

Every check has a timeout, so that /readyz answers within two seconds whatever hangs. Answers contain only names of
checks: no address, no error text, nobody's name.
"""

from bot.monitoring.health.views import forget, healthz, readyz

__all__ = ["forget", "healthz", "readyz"]
