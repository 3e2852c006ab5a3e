"""Write and look as somebody."""

import json
from typing import Any

from django.test import Client


def send(client: Client, person: str, text: str = "Hello") -> Any:
    body = json.dumps({"bot": "shop", "person": person, "text": text})
    return client.post("/simulator/send/", body, content_type="application/json")


def look(client: Client, person: str, page: str = "updates") -> int:
    return client.get(f"/simulator/{page}/", {"bot": "shop", "person": person}).status_code
