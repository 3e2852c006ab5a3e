"""Signing in: the backend, the throttle of failed attempts, client addresses."""
