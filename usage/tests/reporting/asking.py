"""Ask for the report."""

import re
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse

from usage.tests.usages import call
from users.tests.factories import bob, charlie

REPORT = reverse("admin:usage_report")


def page(client: Client, **asked: Any) -> str:
    response = client.get(REPORT, {name.rstrip("_"): value for name, value in asked.items()})
    assert response.status_code == 200
    return response.content.decode()


def rows(html: str) -> list[list[str]]:
    """Return the cells of the table as texts."""
    table = html[html.index("<thead>") : html.index("</table>")]
    found = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found)
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


def some_usage() -> Any:
    person = bob(name="Anna")
    call(person, 0, 1_234_567, input_tokens=1_000, cached_input_tokens=400, output_tokens=50)
    call(person, 3, 765_433, bot="desk", model="large")
    call(charlie(), 3, None, model="house")
    return person


def links(html: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]+)"', html)]
