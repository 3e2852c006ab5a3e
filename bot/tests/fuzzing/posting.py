"""Bring a delivery to the WSGI application as a server would, whatever stands in its headers.

Past the admission, which would lend it a connection that does not see what a test has not committed.
"""

from bot.tests.fuzzing.deliveries import Delivery
from bot.tests.wsgi import Answer, ask


def post(path: str, delivery: Delivery) -> Answer:
    """Answer a POST."""
    return ask(path, "POST", delivery.body, CONTENT_TYPE=delivery.content_type, **delivery.environ)


def get(path: str, query: str, **environ: str) -> Answer:
    """Answer a GET; the query is as it stands in the URL."""
    return ask(path, QUERY_STRING=query, **environ)
