"""One lock over phone numbers: a number is somebody's phone number or somebody else's identity, never both.

Two tables hold numbers, so no constraint of one of them can tell. Who writes a phone number shares the lock: the unique
index of the numbers decides between them. Who links a number as an identity has the lock alone. Both look whether the
number is free after they have the lock, and keep it until their transaction ends.
"""

from django.db import DEFAULT_DB_ALIAS, connections

# Any number that no other advisory lock of the database has.
KEY = 7_275_391_026


def lock_numbers(*, alone: bool, using: str | None = None) -> None:
    """Take the lock until the transaction ends. Lock order: after leases, requests and invites, before people.

    Whoever may need it alone later in the transaction takes it alone at once: two that share it would wait for each
    other. SQLite has one writer at a time (its transactions are IMMEDIATE), and needs no lock.
    """
    connection = connections[using or DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return
    function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [KEY])
