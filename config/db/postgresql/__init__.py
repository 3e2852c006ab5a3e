"""Django's PostgreSQL backend with a client-side timeout for servers that hang."""
