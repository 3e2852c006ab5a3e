"""The front: one event loop that answers webhooks and probes itself, and hands every other request to the pages.

Nothing that is slow, many or large takes anything from a webhook: bodies are bounded in size, time and number before
they cost anything, writes wait in one bounded queue, and pages are rendered by another process (config/wsgi.py).
"""
