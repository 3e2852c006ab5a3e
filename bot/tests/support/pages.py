"""Every address of the project, found by walking the URL patterns: a new page is in every test that walks them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import site
from django.urls import URLPattern, URLResolver, get_resolver

# The models that have pages, such as users.user.
MODELS = {model._meta.label_lower for model in site._registry}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Page:
    """One URL pattern: its whole route, such as admin/bot/bot/<int:pk>/test/, and its name, such as bot_bot_test."""

    route: str
    name: str
    view: Callable[..., Any] = field(compare=False, repr=False)

    @property
    def key(self) -> str:
        """Return what a table calls it: its name, or its route where it has none."""
        return self.name or self.route

    @property
    def model(self) -> str:
        """Return the model of an admin page, such as bot.bot; "" for a page that is about none."""
        match = re.match(r"admin/(\w+)/(\w+)/", self.route)
        label = f"{match[1]}.{match[2]}" if match else ""
        return label if label in MODELS else ""

    @property
    def is_admin(self) -> bool:
        """Return whether it is one of the admin's, and not the simulator or for machines."""
        return self.route.startswith("admin/")

    def path(self, ids: dict[str, Any]) -> str:
        """Return its path, about a row of its model (see desk_rows.py) or what is there in any case."""
        values = {"app_label": "bot", "channel": "console", "bot": "nobody", "url": "nowhere", "content_type_id": 1}
        row = ids.get(self.model, 1)
        return "/" + PARAMETER.sub(lambda match: str(values.get(match[1], row)), self.route)


def pages(under: str = "") -> list[Page]:
    """Return the pages whose route begins like this."""
    return [page for page in _walk(get_resolver().url_patterns, "") if page.route.startswith(under)]


def _walk(patterns: list[Any], before: str) -> Iterator[Page]:
    for pattern in patterns:
        route = before + _plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield Page(route, pattern.name or "", pattern.callback)


def _plain(route: str) -> str:
    """Return a regular expression as a route; Django's admin has two."""
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).removeprefix("^").removesuffix("$")
