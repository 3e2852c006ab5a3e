"""Clients that hold what a server has only so much of: connections, bodies, threads, memory."""
