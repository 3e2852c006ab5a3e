"""Ask the simulator's page, and write as somebody."""

import json
from typing import Any

from django.test import Client

ALICE_NUMBER = "+12025550101"


def about(client: Client, person: str = ALICE_NUMBER) -> Any:
    response = client.get("/simulator/about/", {"bot": "demo", "person": person})
    assert response.status_code == 200, response.content
    return response.json()


def send(client: Client, person: str, text: str = "Hello") -> Any:
    body = json.dumps({"bot": "demo", "person": person, "text": text})
    return client.post("/simulator/send/", body, content_type="application/json")


def found(client: Client, asked: str) -> list[str]:
    return [person["label"] for person in client.get("/simulator/people/", {"q": asked}).json()["people"]]
