"""Rows of days are locked in one order."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from usage import budgets
from usage.days import today
from usage.models import Reservation
from usage.spending import Changes
from usage.tests.reserving import spent, sums, wanted
from users.tests.factories import bob
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_rows_are_locked_people_first_by_id_then_bots_by_slug_and_everybodys_last() -> None:
    changes, day = Changes(), today()
    for user_id, bot in ((9, "b"), (10, "a"), (2, "b"), (None, "c")):
        changes.add(user_id, bot, day)
        changes.add(user_id, bot, day - timedelta(days=1))
    locked = [(row["user_id"], row["bot"], row["day"]) for row in changes.rows()]
    order = [(2, ""), (9, ""), (10, ""), (None, "a"), (None, "b"), (None, "c"), (None, "")]
    assert locked == [(*owner, on.isoformat()) for owner in order for on in (day - timedelta(days=1), day)]


@pytest.mark.django_db(transaction=True)
def test_batches_in_any_order_do_not_deadlock_and_leave_nothing_reserved() -> None:
    people = [bob() for _ in range(6)]
    bots = [f"bot-{number}" for number in range(6)]

    def work(worker: int) -> Any:
        order = people if worker % 2 else people[::-1]

        def run() -> None:
            for number in range(8):
                keys = [worker * 1_000 + number * 10 + position for position in range(6)]
                # (Each worker goes through the bots from another side, too.)
                asked = list(zip(keys, order, bots[worker:] + bots[:worker], strict=True))
                shared = [wanted(-position, one, 1, fence=worker) for position, one in enumerate(order)]
                budgets.reserve([wanted(key, one, 1, bot=bot) for key, one, bot in asked])
                with transaction.atomic():
                    budgets.settle([spent(key, one, 2, on=today(), bot=bot) for key, one, bot in asked])
                # (Somebody else may just have stored the same keys: a worker's database thread tries that again.)
                with suppress(IntegrityError):
                    budgets.reserve(shared)
                budgets.release(Reservation.objects.filter(turn_key__lte=0))

        return run

    assert together(*[work(worker) for worker in range(4)]) == [None] * 4

    assert not Reservation.objects.exists()
    assert [sums(one) for one in people] == [sums(bot) for bot in bots] == [(2 * 8 * 4, 0)] * 6
    assert sums(None) == (2 * 8 * 4 * 6, 0)
