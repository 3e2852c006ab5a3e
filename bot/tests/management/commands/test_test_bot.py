"""manage.py test_bot prints what the test of a connection says, and fails with it."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from bot.dev.standins import StandIn
from bot.tests.operations.trying import SECRETS, graph_error, shop

NUMBER = "+1 555-010-0001"
CONNECTED = f"Connected: Stand-in & Sons, {NUMBER} (quality rating: high)."


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("whatsapp") as stand_in:
        yield stand_in


@pytest.fixture
def graph(running: StandIn, settings: Settings) -> StandIn:
    running.reset()
    settings.WHATSAPP_API_URL = f"{running.url}/v26.0"
    return running


@pytest.mark.django_db
def test_the_command_prints_the_same(graph: StandIn) -> None:
    shop(contact="+4930123456")
    out = StringIO()
    call_command("test_bot", "shop", stdout=out)
    connected, hint = out.getvalue().splitlines()
    assert connected == CONNECTED
    assert "+4930123456" in hint


@pytest.mark.django_db
def test_the_command_fails_with_every_sentence(graph: StandIn) -> None:
    shop(credentials={**SECRETS, "app_secret": ""})
    graph.script([graph_error(10, 403)])
    with pytest.raises(CommandError) as failed:
        call_command("test_bot", "shop")
    first, second = str(failed.value).splitlines()
    assert (first.startswith("The access token lacks a permission"), "App secret" in second) == (True, True)
    assert failed.value.returncode == 1
    assert "canary" not in str(failed.value)


@pytest.mark.django_db
def test_the_command_fails_too_when_only_webhooks_would_be_refused(graph: StandIn) -> None:
    shop(credentials={**SECRETS, "verify_token": ""})
    out = StringIO()
    with pytest.raises(CommandError, match="Verify token"):
        call_command("test_bot", "shop", stdout=out)
    assert out.getvalue().strip() == CONNECTED


@pytest.mark.django_db
def test_the_command_knows_the_bots_there_are(graph: StandIn) -> None:
    shop()
    with pytest.raises(CommandError, match=r"No bot is called 'shp'\. There are: shop"):
        call_command("test_bot", "shp")
