"""The simulator without a sign-in: in development, at this machine itself, and nowhere that a tunnel leads to."""

import json
from typing import Any

import pytest
from django.test import Client

from bot.models import InboundMessage
from bot.queue import snapshot
from bot.tests.support.factories import BotFactory
from users.tests.factories import UserFactory

OWNER = "+12025550101"
HERE = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:3000"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def development(settings: Any) -> None:
    """A trial, as `make run` begins it, whose admin may be opened by a tunnel's name."""
    settings.DEBUG, settings.ALLOWED_HOSTS, settings.PUBLIC_URL = True, ["*"], "http://localhost:3000"
    BotFactory.create(slug="demo")
    snapshot.forget()
    UserFactory.create(phone_number=OWNER, role="owner")


def tried(**meta: Any) -> tuple[int, int, int]:
    """Return how the page, what was said, and a command as the owner are answered."""
    client = Client(**{**HERE, **meta})
    body = json.dumps({"bot": "demo", "person": OWNER, "text": "/allow +12025550888"})
    page = client.get("/").status_code
    updates = client.get("/simulator/updates/", {"bot": "demo", "person": OWNER}).status_code
    return page, updates, client.post("/simulator/send/", body, content_type="application/json").status_code


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"HTTP_HOST": "127.0.0.1:3000"},
        {"HTTP_HOST": "[::1]:3000", "REMOTE_ADDR": "::1"},
        {"HTTP_HOST": "parley.localhost"},
    ],
)
def test_who_sits_at_this_machine_needs_no_sign_in(meta: dict[str, str]) -> None:
    assert tried(**meta) == (200, 200, 201)


@pytest.mark.parametrize(
    "meta",
    [
        {"REMOTE_ADDR": "192.168.1.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "203.0.113.7"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_FORWARDED": "for=203.0.113.7"},
        {"HTTP_VIA": "1.1 tunnel"},
        {"HTTP_X_REAL_IP": "203.0.113.7"},
        {"HTTP_CF_CONNECTING_IP": "203.0.113.7"},
        {"HTTP_CF_RAY": "1"},
        {"HTTP_TRUE_CLIENT_IP": "203.0.113.7"},
        {"HTTP_HOST": "abc.tunnel.example"},
        {"HTTP_HOST": "localhost.tunnel.example"},
    ],
)
def test_who_comes_from_elsewhere_or_by_a_tunnel_has_to_sign_in(meta: dict[str, str]) -> None:
    assert tried(**meta) == (302, 403, 403)
    assert not InboundMessage.objects.exists()


def test_where_a_public_url_is_set_everybody_has_to_sign_in(settings: Any) -> None:
    settings.PUBLIC_URL = "https://abc.tunnel.example"
    assert tried() == (302, 403, 403)


def test_in_production_everybody_has_to_sign_in(settings: Any) -> None:
    settings.DEBUG = False
    assert tried() == (302, 403, 403)
