"""Time the pages of the desk in the database that DATABASE_URL names: `python -m benchmarks.desk_pages`.

An owner asks for each of them, through Django's test client: what is timed is the server's part. First an hour passes,
in which the scheduler does its work. Prints JSON: for each page its list, its sort, the milliseconds of each time, how
many of them were SQL's, how many both processes' CPU (which nobody else on the machine stretches), and how many queries
it takes; and the same for one list as Django counts and pages by default.
"""

import json
import sys
import time
from statistics import median
from typing import Any

import django

from benchmarks.database_cpu import cpu_ms

OWNER = "+12025550100"
TIMES = 5
MINUTES = 60
# A page that takes longer than that is not asked for as often.
SLOW_MS = 3_000
# What answers no page: a form that is only posted to, a row that leads elsewhere, a page that needs something chosen.
NO_PAGE = {302, 400, 403, 404, 405}


def main() -> None:
    """Ask for every page and print what it took."""
    django.setup()
    from django.test import Client

    from benchmarks.desk_walk import pages
    from users.models import User

    an_hour_passes()
    client = Client(HTTP_HOST="localhost")
    owner = User.objects.filter(phone_number=OWNER).first() or User.objects.create_superuser(OWNER)
    client.force_login(owner)
    # (What the first page loads is not its own: templates, permissions, the translations.)
    client.get("/admin/")
    found = []
    for page in pages(lambda path: client.get(path)):
        if figures := timed(client, page.path):
            found.append({"owner": page.owner, "sort": page.sort, **figures})
    json.dump({"pages": found, "plain": plain_list(client)}, sys.stdout)


def an_hour_passes() -> None:
    """Do what the scheduler does: what is due every minute, and what is due once a day."""
    from django.utils.module_loading import import_string
    from django_q.models import Schedule

    from bot.operations.schedules import ensure_schedules

    ensure_schedules()
    for schedule in Schedule.objects.all():
        task = import_string(schedule.func)
        for _ in range(MINUTES if schedule.schedule_type == Schedule.MINUTES else 1):
            task()


def timed(client: Any, path: str) -> dict[str, Any] | None:
    """Return what a page takes, None for what is no page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    rounds: list[float] = []
    in_sql: list[float] = []
    cpu: list[float] = []
    queries = 0
    while len(rounds) < TIMES and sum(rounds) < SLOW_MS:
        with CaptureQueriesContext(connection) as captured:
            began, cpu_began = time.perf_counter(), cpu_ms()
            response = client.get(path)
            rounds.append((time.perf_counter() - began) * 1_000)
            cpu.append(cpu_ms() - cpu_began)
            asked = captured.captured_queries
        if response.status_code in NO_PAGE or response.streaming or "Content-Disposition" in response.headers:
            return None
        if response.status_code != 200:
            raise SystemExit(f"{path} answered {response.status_code}")
        in_sql.append(sum(float(query["time"]) for query in asked) * 1_000)
        queries = max(queries, len(asked))
    return {"path": path, "ms": rounds, "sql_ms": median(in_sql), "cpu_ms": cpu, "queries": queries}


def plain_list(client: Any) -> Any:
    """Return what the inbox takes with Django's own settings, which count every row."""
    from django.contrib import admin
    from django.core.paginator import Paginator
    from django.urls import reverse

    from bot.models import InboundMessage

    listed: Any = admin.site._registry[InboundMessage]
    ours = listed.paginator, listed.show_full_result_count
    listed.paginator, listed.show_full_result_count = Paginator, True
    try:
        return timed(client, reverse("admin:bot_inboundmessage_changelist"))
    finally:
        listed.paginator, listed.show_full_result_count = ours


if __name__ == "__main__":
    main()
