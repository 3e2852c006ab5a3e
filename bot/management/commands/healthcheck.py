"""Tell a supervisor whether a process does its work: `manage.py healthcheck web|worker|scheduler`."""

import http.client
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.utils import timezone

from bot.models import Heartbeat
from bot.monitoring.heartbeats import ALIVE, Kind, host_name
from config.db.short_connection import brief_connection

PATHS = {"live": "/healthz", "ready": "/readyz"}


class Command(BaseCommand):
    """Exit with 0 and one line when all is well, with 1 and what is wrong otherwise."""

    requires_system_checks = ()
    help = "Tells by its exit code whether this machine's web, worker or scheduler process does its work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("process", choices=["web", *Kind.values])
        parser.add_argument("--timeout", type=int, default=5, help="Seconds to wait for an answer (5).")
        parser.add_argument("--port", type=int, default=settings.PORT, help="Where the web process listens (PORT).")
        parser.add_argument("--ready", action="store_true", help="web: ask /readyz, not /healthz.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask and say what was found."""
        if options["timeout"] < 1:
            raise CommandError("--timeout must be at least 1.")
        if options["process"] == "web":
            path = PATHS["ready" if options["ready"] else "live"]
            self.stdout.write(ask_web(options["port"], path, options["timeout"]))
        else:
            self.stdout.write(ask_heartbeats(Kind(options["process"]), options["timeout"]))


def ask_web(port: int, path: str, seconds: int) -> str:
    """Return what the web process of this machine answered.

    Raises:
        CommandError: it did not answer in time, or not with 200.
    """
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        client.request("GET", path)
        response = client.getresponse()
        said = response.read(1_000).decode(errors="replace")
    except TimeoutError:
        raise CommandError(f"web: no answer from port {port} within {seconds} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"web: nothing answers on port {port} ({type(error).__name__})") from None
    finally:
        client.close()
    if response.status != 200:
        raise CommandError(f"web: {path} answered {response.status} {said}")
    return f"web: {path} answered 200 {said}"


def ask_heartbeats(kind: Kind, seconds: int) -> str:
    """Return how old the latest heartbeat of this machine's processes of a kind is.

    Raises:
        CommandError: it is too old, there is none, or the database does not tell.
    """
    try:
        with brief_connection(seconds):
            found = Heartbeat.objects.filter(kind=kind, process__startswith=host_name())
            seen_at = found.order_by("-seen_at").values_list("seen_at", flat=True).first()
    except DatabaseError as error:
        raise CommandError(f"{kind}: the database does not answer ({type(error).__name__})") from None
    if seen_at is None:
        raise CommandError(f"{kind}: none was ever seen on this machine, or it ended")
    age = timezone.now() - seen_at
    if age > ALIVE[kind]:
        raise CommandError(f"{kind}: last seen {age.total_seconds():.0f} s ago, more than {ALIVE[kind].seconds} s")
    return f"{kind}: last seen {max(age.total_seconds(), 0):.0f} s ago"
