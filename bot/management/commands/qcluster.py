"""Run the scheduler process: `manage.py qcluster`, as django-q2 has it, but safe to stop."""

import os
import signal
from typing import Any

from django_q.management.commands import qcluster


class Command(qcluster.Command):
    """Run schedules until SIGTERM or SIGINT; then finish the current task and exit with 0."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Run django-q2's cluster with its children deaf to SIGTERM.

        Supervisors (systemd, honcho) send SIGTERM to a whole process group. The children would die of it, holding the
        locks that the parent waits for to end them in order, and the parent would wait for ever.
        """
        os.register_at_fork(after_in_child=hold_back_sigterm)
        super().handle(*args, **options)


def hold_back_sigterm() -> None:
    """Let only the parent, or SIGKILL, end this process. Blocked, because django-q2 sets handlers of its own."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
