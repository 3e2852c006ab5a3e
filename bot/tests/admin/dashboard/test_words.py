"""Numbers and times of the admin's first page."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from django.utils.translation import override

from bot.admin.dashboard.words import age, number, seconds
from bot.models import Bot
from bot.tests.admin.dashboard.asking import NOW, page
from bot.tests.support.factories import BotFactory
from bot.tests.support.figure_rows import message
from users.tests.factories import alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop() -> Bot:
    return BotFactory.create(slug="shop", name="Shop")


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(alice())
    return client


def test_numbers_and_times_are_written_in_the_readers_language(owner: Client, shop: Bot) -> None:
    assert (number(1_234_567), seconds(2_449)) == ("1,234,567", "2.4 s")
    with override("de"):
        assert (number(1_234_567), seconds(2_449)) == ("1.234.567", "2,4 s")
    assert (seconds(None), seconds(150_000)) == ("–", "2 minutes")
    assert [age(length) for length in (1, 59.9, 3_600, 200_000)] == ["1 second", "59 seconds", "1 hour", "2 days"]
    message(shop, NOW, took=1)
    owner.cookies["django_language"] = "de"
    assert 'lang="de"' in page(owner)
