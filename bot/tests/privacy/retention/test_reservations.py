"""Reservations that nobody will settle are given back."""

from typing import Any

import pytest
import time_machine

from bot.operations.purge import purge_expired
from bot.privacy.retention import release_abandoned_reservations
from bot.tests.privacy.retention.due import ago
from bot.tests.support.factories import ALICE, BotFactory, InboundFactory, whitelisted
from usage import budgets
from usage.models import DailySpend, Reservation
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def bot() -> Any:
    return BotFactory.create(slug="shop")


def test_reservations_that_nobody_will_settle_are_given_back_and_those_of_open_turns_stay(bot: Any) -> None:
    alice = whitelisted(ALICE)
    pending, done = InboundFactory.create(bot=bot), InboundFactory.create(bot=bot, state="done")
    dead = InboundFactory.create(bot=bot, state="dead")
    for number, (key, age, amount) in enumerate(
        [(pending.pk, 2, 1), (done.pk, 2, 10), (dead.pk, 2, 100), (999_999, 2, 1_000), (999_998, 0.9, 10_000)]
    ):
        reserve(key, alice, amount)
        Reservation.objects.filter(turn_key=key).update(created_at=ago(hours=age))
        assert Reservation.objects.count() == number + 1

    assert release_abandoned_reservations(dry_run=True) == 3
    assert Reservation.objects.count() == 5
    assert purge_expired()["reservations"] == 3

    assert set(Reservation.objects.values_list("turn_key", flat=True)) == {pending.pk, 999_998}
    left = {(alice.pk, "", 10_001), (None, "shop", 10_001), (None, "", 10_001)}
    assert set(DailySpend.objects.values_list("user", "bot", "reserved_micros")) == left
    assert release_abandoned_reservations() == 0


def test_a_reservation_of_a_day_that_is_past_is_given_back_even_if_its_turn_is_open(bot: Any) -> None:
    with time_machine.travel(ago(days=1), tick=False):
        reserve(InboundFactory.create(bot=bot).pk, whitelisted(ALICE), 10)
    assert release_abandoned_reservations() == 1
    assert set(DailySpend.objects.values_list("reserved_micros", flat=True)) == {0}


def test_many_abandoned_reservations_go_in_short_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.budgets.RELEASED_AT_ONCE", 2)
    alice = whitelisted(ALICE)
    with time_machine.travel(ago(days=1), tick=False):
        for key in range(5):
            reserve(key, alice, 10)
    assert release_abandoned_reservations() == 5
    assert set(DailySpend.objects.values_list("reserved_micros", flat=True)) == {0}


def reserve(key: int, user: User, amount: int) -> None:
    budgets.reserve([budgets.Wanted(key, 1, user.pk, "shop", amount, None, None, None)])
