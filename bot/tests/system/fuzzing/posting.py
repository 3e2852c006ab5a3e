"""Bring a delivery to an entrance as a server would, whatever stands in its headers."""

from bot.tests.support.entrances import Entrance
from bot.tests.support.wsgi import Answer
from bot.tests.system.fuzzing.deliveries import Delivery


def post(door: Entrance, path: str, delivery: Delivery) -> Answer:
    """Answer a POST."""
    headers = {"Content-Type": delivery.content_type, **headers_of(delivery.environ)}
    return door.ask("POST", path, delivery.body, headers)


def get(door: Entrance, path: str, query: str, **environ: str) -> Answer:
    """Answer a GET; the query is as it stands in the URL."""
    return door.ask("GET", f"{path}?{query}", headers=headers_of(environ))


def headers_of(environ: dict[str, str]) -> dict[str, str]:
    """Return headers whose names are those of a WSGI environment."""
    return {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in environ.items()}
