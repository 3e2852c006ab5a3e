"""Run the scheduler process: `manage.py qcluster`, as django-q2 has it, but safe to stop."""

import logging
import os
import signal
from collections.abc import Callable
from multiprocessing import active_children
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections
from django_q.management.commands import qcluster

from bot.monitoring import heartbeats

logger = logging.getLogger(__name__)


class Command(qcluster.Command):
    """Run schedules until SIGTERM or SIGINT; then finish the current task and exit with 0."""

    # They would load every page, form and template, and each of the processes below holds what its parent has loaded.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run django-q2's cluster with its children deaf to SIGTERM.

        Supervisors (systemd, honcho) send SIGTERM to a whole process group. The children would die of it, holding the
        locks that the parent waits for to end them in order, and the parent would wait for ever.
        """
        process = heartbeats.process_name()
        os.environ[heartbeats.SCHEDULER_VARIABLE] = process
        tell(heartbeats.beat, heartbeats.Kind.SCHEDULER, process)
        os.register_at_fork(after_in_child=hold_back_sigterm)
        super().handle(*args, **options)
        for child in active_children():
            child.join()
        tell(heartbeats.end, process)


def tell(sign: Callable[..., None], *arguments: Any) -> None:
    """Give a sign of life in the database, if that can be done; no connection is left for the children to inherit."""
    try:
        sign(*arguments)
    except DatabaseError as error:
        logger.error("heartbeat_failed", extra={"sign": sign.__name__, "error": type(error).__name__})
    finally:
        connections.close_all()


def hold_back_sigterm() -> None:
    """Let only the parent, or SIGKILL, end this process. Blocked, because django-q2 sets handlers of its own."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
