"""Purge conversations in the database that DATABASE_URL names: `python -m benchmarks.purge_run`, or `… --plain`.

--plain deletes the same rows by two statements in one transaction, through the driver. Prints one JSON object: `rows`
(messages and conversations that went), `seconds`, and `cpu_seconds` of this process.
"""

import argparse
import json
import sys
import time

import django

EXPIRED = "SELECT id FROM conversations_conversation WHERE expires_at <= {now}"
# (Our own words.)
PLAIN = (
    f"DELETE FROM conversations_message WHERE conversation_id IN ({EXPIRED})",  # noqa: S608
    "DELETE FROM conversations_conversation WHERE expires_at <= {now}",
)


def main() -> None:
    """Read the command line, delete, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.purge_run", description=__doc__)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    django.setup()
    from django.db import connection

    connection.ensure_connection()
    cpu, began = time.process_time(), time.perf_counter()
    rows = plain() if options.plain else purge()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    json.dump({"rows": rows, "seconds": seconds, "cpu_seconds": cpu}, sys.stdout)


def purge() -> list[int]:
    """Purge as the schedule does."""
    from conversations.retention import cleanup_expired_conversations

    cleaned = cleanup_expired_conversations()
    return [cleaned.messages, cleaned.conversations]


def plain() -> list[int]:
    """Delete everything at once."""
    from django.db import connection, transaction

    now = "now()"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In one statement it may take longer than Parley lets any take.
            cursor.execute("SET statement_timeout = 0")
            connection.connection.client_timeout = None
        else:
            now = "datetime('now')"
        with transaction.atomic():
            counts = []
            for statement in PLAIN:
                cursor.execute(statement.format(now=now))
                counts.append(cursor.rowcount)
    return counts


if __name__ == "__main__":
    main()
