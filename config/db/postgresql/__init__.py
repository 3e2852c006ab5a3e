"""Django's PostgreSQL backend, with connections that do not wait for ever for a server that hangs."""
