"""Database helpers that know no app: batches, written-out SQL, threads, reconnecting, PostgreSQL backend."""
