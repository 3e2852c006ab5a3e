"""Requests that machines make go the short way, with and without a slash."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.tests.support.entrances import ENTRANCES, Entrance, entrance
from bot.tests.support.factories import (
    VERIFY_TOKEN,
    WhatsAppBotFactory,
    whatsapp_body,
)
from bot.tests.support.posting import url

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
]


@pytest.fixture
def bot() -> Any:
    return WhatsAppBotFactory.create(slug="shop")


@pytest.fixture(params=ENTRANCES)
def door(request: pytest.FixtureRequest, db: None) -> Iterator[Entrance]:
    with entrance(request.param) as opened:
        yield opened


def test_the_body_of_an_error_is_json_also_for_a_wrong_path(door: Entrance) -> None:
    assert door.get("/webhooks/").json()["status"] == "error"


def test_a_url_without_its_slash_is_the_same_url(door: Entrance, bot: Any, caplog: pytest.LogCaptureFixture) -> None:
    bare = url(bot).removesuffix("/")
    caplog.set_level("INFO")
    assert door.post(bare, whatsapp_body()).status == 200
    assert door.ask("POST", bare, b"{}").status == 403
    good = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "12345"}
    answer = door.get(bare, urlencode(good))
    assert (answer.status, answer.text) == (200, "12345")
    routes = {vars(record)["route"] for record in caplog.records if record.message == "request_answered"}
    assert routes == {"webhooks/<slug:channel>/<slug:bot>/"}


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz", "/readyz/"])
def test_probes_are_answered_with_and_without_a_slash(door: Entrance, path: str) -> None:
    answer = door.get(path)
    assert answer.status in (200, 503)
    assert answer.json()["status"]
