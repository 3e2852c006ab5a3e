"""Two schedulers that keep the same days at the same time keep each once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from bot.models import DailyFigures
from bot.operations.figures.folding import fold_night
from bot.tests.support.factories import BotFactory
from bot.tests.support.figure_rows import message

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_each_day_is_kept_once() -> None:
    shop = BotFactory.create(slug="shop")
    for ago in range(1, 5):
        message(shop, timezone.now() - timedelta(days=ago), took=2)

    def fold(_number: int) -> None:
        try:
            fold_night()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(fold, range(4)))
    assert DailyFigures.objects.filter(bot="shop").count() == 4
    assert DailyFigures.objects.filter(bot="").count() == 7
    assert {row.received for row in DailyFigures.objects.filter(bot="shop")} == {1}
