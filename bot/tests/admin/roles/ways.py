"""How things are done over HTTP: with what a browser sends, and with what somebody sends who has no button for it."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.urls import reverse

from bot.tests.admin.roles.cells import Watch, Way
from bot.tests.admin.roles.world import World

NAMED = re.compile(r"(?:(?<=^)|(?<= ))@(.+)")


class _Fields(HTMLParser):
    """Collects what a form would send as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, Any] = {}
        self._name, self._text = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name") or "", given.get("type") or ""
        if tag == "select" and name:
            self._name = name
        elif tag == "textarea" and name:
            self._name, self._text = name, ""
        elif tag == "option" and self._name and "selected" in given:
            self.sent[self._name] = given.get("value") or ""
        elif tag == "input" and name and _is_sent(kind, given):
            self.sent[name] = given.get("value") or ("on" if kind == "checkbox" else "")

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._name:
            self.sent[self._name] = self._text.removeprefix("\n")
        if tag in ("textarea", "select"):
            self._name = ""


def _is_sent(kind: str, given: dict[str, str | None]) -> bool:
    return kind not in ("submit", "file", "button") and (kind not in ("checkbox", "radio") or "checked" in given)


def fields_of(page: Any) -> dict[str, Any]:
    """Return what the form of a page would send, as it stands."""
    parser = _Fields()
    parser.feed(page.content.decode())
    return {name: value for name, value in parser.sent.items() if not name.startswith(("csrf", "_", "action"))}


def url(name: str, world: World, *keys: str) -> str:
    """Return the address of a page about rows of the world."""
    return reverse(name if ":" in name else f"admin:{name}", args=[world[key].pk for key in keys])


def filled(world: World, fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with ids in place of "@name", alone or behind other words."""
    return {
        name: NAMED.sub(lambda found: str(world[found[1]].pk), value) if isinstance(value, str) else value
        for name, value in fields.items()
    }


def get(name: str, /, *keys: str, **query: Any) -> Way:
    """Open a page."""
    return lambda client, world: client.get(url(name, world, *keys), filled(world, query))


def post(name: str, /, *keys: str, **data: Any) -> Way:
    """Post to a page."""
    return lambda client, world: client.post(url(name, world, *keys), filled(world, data))


def post_to(name: str, path: str) -> Way:
    """Post to a page of this name, which needs more than rows to be found."""
    return lambda client, world: client.post(path, {"page": name})


def change(label: str, key: str, /, **fields: Any) -> Way:
    """Post a row's form with other values in some of its fields, whether the form has them or not."""
    name = f"{label.replace('.', '_')}_change"

    def way(client: Any, world: World) -> Any:
        form = fields_of(world.clients["owner"].get(url(name, world, key)))
        return client.post(url(name, world, key), {**form, **filled(world, fields)})

    return way


def add(label: str, query: str = "", /, **fields: Any) -> Way:
    """Post the form that adds a row, with these fields."""
    name = f"admin:{label.replace('.', '_')}_add"

    def way(client: Any, world: World) -> Any:
        form = fields_of(world.clients["owner"].get(reverse(name) + query))
        return client.post(reverse(name) + query, {**form, **filled(world, fields)})

    return way


def delete(label: str, key: str) -> Way:
    """Confirm that a row is deleted."""
    return post(f"{label.replace('.', '_')}_delete", key, post="yes")


def action(label: str, name: str, *keys: str, **data: Any) -> Way:
    """Choose an action for rows of a list, and confirm it."""

    def way(client: Any, world: World) -> Any:
        chosen = {"action": name, "_selected_action": [world[key].pk for key in keys], "confirmed": "1", "post": "yes"}
        return client.post(reverse(f"admin:{label.replace('.', '_')}_changelist"), {**chosen, **data})

    return way


def upload(lines: Callable[[World], str]) -> Way:
    """Upload a file of people, and apply what the page previews."""

    def way(client: Any, world: World) -> Any:
        file = SimpleUploadedFile("people.csv", lines(world).encode(), "text/csv")
        page = client.post(reverse("admin:users_user_import"), {"file": file})
        signed = fields_of(page).get("people", "") if page.status_code == 200 else "made up"
        return client.post(reverse("admin:users_user_import_apply"), {"people": signed}) if signed else page

    return way


def fields(key: str, *names: str) -> Watch:
    """Watch columns of a row; None: it is gone."""
    return lambda world: type(world[key])._base_manager.filter(pk=world[key].pk).values_list(*names).first()


def there(key: str) -> Watch:
    """Watch whether a row is there."""
    return lambda world: type(world[key])._base_manager.filter(pk=world[key].pk).exists()


def count(label: str) -> Watch:
    """Watch how many rows of a model there are."""
    model: type[Model] = apps.get_model(label)
    return lambda world: model._base_manager.count()


def nothing(world: World) -> None:
    """Watch nothing: it changes nothing for anybody."""
