"""The plots of the admin's first page."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
import time_machine
from django.test import Client

from bot.models import Bot
from bot.operations.figures.folding import fold_minute
from bot.tests.admin.dashboard.asking import NOON, NOW, everything, page
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


def test_days_of_which_nothing_is_known_say_so(owner: Client, shop: Bot) -> None:
    message(shop, NOON, took=1)
    assert "February 10: not known" in page(owner)
    assert "6 days have yet to be summed up" in page(owner)
    fold_minute()
    assert "have yet to be summed up" not in page(owner)


def test_headings_are_in_order_and_every_plot_has_a_name(owner: Client, shop: Bot) -> None:
    everything(shop)
    content = page(owner)
    levels = [int(level) for level in re.findall(r"<h(\d)[ >]", content[content.index('id="content-main"') :])]
    assert levels[0] == 2
    assert all(after <= before + 1 for before, after in pairwise(levels))
    plots = re.findall(r'<svg class="desk-plot"[^>]*>', content)
    assert len(plots) == 6
    assert all('role="group" aria-label="' in plot for plot in plots)
    assert "<script>" not in content[content.index('id="content-main"') :]
