"""Database helpers independent of apps: batches, raw SQL, threads, reconnecting, PostgreSQL backend."""
