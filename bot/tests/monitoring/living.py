"""Ask how the system does."""

import json
from typing import Any

from django.test import Client

from bot.monitoring import health


def system(client: Client) -> dict[str, Any]:
    health.forget()
    return dict(json.loads(client.get("/readyz").content)["system"])
