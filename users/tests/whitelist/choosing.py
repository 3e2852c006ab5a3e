"""Choose people of the list."""

from typing import Any

from django.test import Client
from django.urls import reverse

from users.models import User

LIST = reverse("admin:users_user_changelist")


def choose(client: Client, action: str, people: list[User], query: str = "", **fields: str) -> Any:
    return client.post(LIST + query, {"action": action, "_selected_action": [one.pk for one in people], **fields})
