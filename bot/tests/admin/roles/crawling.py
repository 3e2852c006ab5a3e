"""Opens all that can be opened as a role, and says where each secret was seen."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.apps import apps

from bot.models import OutboundMessage
from bot.simulator.queries import UNKNOWN_NUMBER
from bot.tests.admin.roles.world import World
from bot.tests.support.pages import pages

# Not to be opened but posted to, or not of the desk; signing out would end the walk.
LEFT_OUT = {"logout", "login", "webhook", "healthz", "readyz", "document", "story", "updates", "about"}
CHATS = ("dana", "tess", "admin2", "owner2", "admin", "owner", "user")


def addresses(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield every page: its name, whose chat it shows, if it is one, and its address."""
    for page in pages():
        if page.key in LEFT_OUT:
            continue
        for row in world.of(apps.get_model(page.model)) if page.model else [None]:
            yield page.key, "", page.path({page.model: row.pk} if row else {})
    for page in pages("admin/"):
        if page.name.endswith("_changelist"):
            yield page.key, "", f"{page.path({})}?q=kanari"
    for name in CHATS:
        chat = urlencode({"bot": "console", "person": world[name].phone_number})
        yield from ((key, name, f"/simulator/{key}/?{chat}") for key in ("updates", "about"))
        yield "chat", name, f"/?{chat}"
    yield "updates", "", f"/simulator/updates/?{urlencode({'bot': 'console', 'person': UNKNOWN_NUMBER})}"
    for message in OutboundMessage.objects.order_by("pk"):
        yield "document", "", f"/simulator/documents/{message.pk}/"
        yield "story", "", f"/simulator/stories/{message.pk}/"
    yield "search", "", "/admin/search/?s=kanari"
    yield "people", "", "/simulator/people/?q=kanari"


def body_of(response: Any) -> str:
    """Return what a response says, its headers included."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{dict(response.items())} {body.decode(errors='replace')}"


def crawl(world: World, role: str) -> dict[str, set[tuple[str, str]]]:
    """Open every page as a role; return where each secret was seen: the names of pages, and whose chat."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for key, whose, address in addresses(world):
        said = body_of(world.clients[role].get(address))
        for secret, text in world.secrets.items():
            if text in said:
                found[secret].add((key, whose))
    return found
