"""With a long past, a page of the desk reads few rows: what PostgreSQL says it has read, for every list in every way.

Which node a plan has depends on statistics and the version; how many rows it read to answer is what a page costs.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from benchmarks.desk_pages import an_hour_passes
from benchmarks.desk_rows import fill
from benchmarks.desk_walk import Page, pages
from bot.tests.support.factories import BotFactory
from users.tests.factories import alice

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.no_cover,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL says how many rows it has read"),
    pytest.mark.database,
]

ROWS = 20_000
# As far as pages count, here; and what a query may read: what came in today, or this week, is no more than that.
MOST = 500
MOST_READ = ROWS // 4
# (Of others there are a tenth as many, and joining all of them is no bad plan yet.)
LONG = {
    *("bot_inboundmessage", "bot_outboundmessage", "conversations_message"),
    *("usage_usagerecord", "usage_dailyspend"),
}
# What is held about somebody is looked for in texts as well: nobody opens that page but to export or to erase. Before a
# bot is deleted its messages are counted, to 10,000.
MAY_READ_MORE = {("users.user", "privacy"), ("bot.bot", "delete")}


def reads_of(plan: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield each scan of a table, and how many rows of it were read in all its loops."""
    if "Relation Name" in plan:
        removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        yield plan["Relation Name"], int((plan["Actual Rows"] + removed) * plan["Actual Loops"])
    elif plan["Node Type"] == "Bitmap Index Scan":
        yield plan["Index Name"], int(plan["Actual Rows"] * plan["Actual Loops"])
    for part in plan.get("Plans", ()):
        yield from reads_of(part)


@pytest.fixture
def a_long_past(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Store a month, and return a client of an owner."""
    monkeypatch.setattr("config.desk.paginator.MOST", MOST)
    BotFactory.create(slug="bench")
    with connection.cursor() as cursor:

        def run(statement: str) -> Any:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

        fill(run, ROWS)
        run("ANALYZE")
    an_hour_passes()
    client = Client()
    client.force_login(alice())
    return client


def read_too_much(client: Client, page: Page) -> Iterator[str]:
    """Yield the queries of a page that read more rows of a long table than they may, with how many."""
    sent: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    client.get(page.path)  # (The first to look at a past day sums it up, once and for all.)
    with connection.execute_wrapper(note):
        client.get(page.path)
    with connection.cursor() as cursor:
        for sql, params in sent:
            if sql.startswith(("SELECT", "(SELECT", "WITH")):
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0][0]["Plan"]
                for table, rows in reads_of(plan):
                    if rows > MOST_READ and table in LONG:
                        yield f"{page.sort} {page.path}: {rows} rows of {table}: {sql[:2_000]}"


def test_no_page_of_the_desk_reads_a_long_table(a_long_past: Client) -> None:
    every = [page for page in pages(a_long_past.get) if (page.owner, page.sort) not in MAY_READ_MORE]
    found = [what for page in every for what in read_too_much(a_long_past, page)]
    assert not found, "\n\n".join(found)
