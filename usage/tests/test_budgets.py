"""Budgets hold whoever asks at once: reserved for the person and for everybody, or not at all; settled at cost."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from usage import budgets
from usage.budgets import OverBudget, Spent, Superseded, Wanted, counted_micros, left_today, user_cap
from usage.managers import today
from usage.models import DailySpend, Reservation
from usage.pricing import assumed_micros
from users.models import User
from users.tests.factories import bob, charlie
from users.tests.together import together

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def wanted(key: int, user: User | None, amount: int = 10, *, cap: int | None = None, **fields: Any) -> Wanted:
    user_id = user.pk if user else None
    return Wanted(**{"fence": 1, "global_cap_micros": None, **fields}, turn_key=key, user_id=user_id,
                  amount_micros=amount, user_cap_micros=cap)  # fmt: skip


def spent(key: int, user: User | None, cost: int, *, fence: int = 1, on: date | None = None) -> Spent:
    return Spent(key, fence, user.pk if user else None, cost, on)


def sums(user: User | None, day: date | None = None) -> tuple[int, int]:
    """Return (spent, reserved) of a person, or everybody's."""
    row = DailySpend.objects.filter(user=user, day=day or today()).first()
    return (row.spent_micros, row.reserved_micros) if row else (0, 0)


def refusals(results: list[Any]) -> list[Any]:
    return ["everybody" if result.everybody else "person" for result in results if isinstance(result, OverBudget)]


def test_a_reservation_counts_for_the_person_and_for_everybody_until_it_is_settled() -> None:
    user, other = bob(), charlie()

    assert budgets.reserve([wanted(1, user, 10), wanted(2, other, 5)]) == [today(), today()]
    assert (sums(user), sums(other), sums(None)) == ((0, 10), (0, 5), (0, 15))

    budgets.settle([spent(1, user, 7, on=today()), spent(2, other, 0, on=today())])
    assert (sums(user), sums(other), sums(None)) == ((7, 0), (0, 0), (7, 0))
    assert not Reservation.objects.exists()


def test_a_cap_may_be_reached_and_not_exceeded() -> None:
    user = bob()
    results = budgets.reserve([wanted(key, user, 10, cap=30) for key in range(5)])
    assert results[:3] == [today()] * 3
    assert refusals(results) == ["person", "person"]
    assert sums(user) == (0, 30)
    assert refusals(budgets.reserve([wanted(9, user, 1, cap=30)])) == ["person"]


def test_what_was_spent_counts_against_the_cap() -> None:
    user = bob()
    budgets.settle([spent(1, user, 25)])
    assert refusals(budgets.reserve([wanted(2, user, 10, cap=30), wanted(3, user, 5, cap=30)])) == ["person"]
    assert sums(user) == (25, 5)


def test_a_call_that_cost_more_than_was_reserved_counts_as_it_is() -> None:
    user = bob()
    budgets.reserve([wanted(1, user, 10, cap=10)])
    budgets.settle([spent(1, user, 12, on=today())])
    assert sums(user) == (12, 0)
    assert refusals(budgets.reserve([wanted(2, user, 0, cap=10)])) == ["person"]


@pytest.mark.parametrize("together_in_one_batch", [True, False])
def test_both_caps_have_room_or_nothing_is_reserved(together_in_one_batch: bool) -> None:
    user, other = bob(), charlie()
    asked = [
        wanted(1, user, 10, cap=100, global_cap_micros=15),
        wanted(2, other, 10, cap=100, global_cap_micros=15),
        wanted(3, user, 10, cap=12, global_cap_micros=100),
        wanted(4, other, 5, cap=100, global_cap_micros=15),
    ]
    batches = [asked] if together_in_one_batch else [[one] for one in asked]

    results = [result for batch in batches for result in budgets.reserve(batch)]

    assert [isinstance(result, OverBudget) for result in results] == [False, True, True, False]
    assert refusals(results) == ["everybody", "person"]
    assert (sums(user), sums(other), sums(None)) == ((0, 10), (0, 5), (0, 15))
    assert set(Reservation.objects.values_list("turn_key", "amount_micros")) == {(1, 10), (4, 5)}


def test_a_turn_that_everybodys_budget_has_no_room_for_takes_none_of_the_persons_from_the_next() -> None:
    user = bob()
    asked = [wanted(key, user, amount, cap=10, global_cap_micros=5) for key, amount in ((1, 8), (2, 5))]
    results = budgets.reserve(asked)
    assert (refusals(results), results[1]) == (["everybody"], today())
    assert sums(user) == sums(None) == (0, 5)


def test_a_person_over_both_caps_is_told_of_their_own() -> None:
    assert refusals(budgets.reserve([wanted(1, bob(), 10, cap=5, global_cap_micros=5)])) == ["person"]


def test_a_budget_of_zero_pays_for_nothing_but_what_is_free() -> None:
    user = bob()
    results = budgets.reserve([wanted(1, user, 1, cap=0), wanted(2, user, 0, cap=0)])
    assert (refusals(results), results[1]) == (["person"], today())


def test_a_cap_is_the_persons_own_else_the_installations(settings: Any) -> None:
    settings.USER_DAILY_BUDGET_MICROS = 500
    assert (user_cap(bob()), user_cap(charlie(daily_budget_micros=0)), user_cap(None)) == (500, 0, None)
    settings.USER_DAILY_BUDGET_MICROS = None
    assert user_cap(User()) is None


def test_a_raised_budget_counts_from_the_next_turn_on() -> None:
    user = bob()
    budgets.settle([spent(1, user, 10)])
    assert refusals(budgets.reserve([wanted(2, user, 5, cap=10)])) == ["person"]
    assert budgets.reserve([wanted(2, user, 5, cap=15)]) == [today()]


def test_a_turn_that_is_begun_again_holds_one_reservation_and_room_for_itself() -> None:
    user = bob()
    for fence, amount in ((1, 10), (1, 10), (2, 8)):
        assert budgets.reserve([wanted(1, user, amount, cap=10, fence=fence)]) == [today()]
        assert (sums(user), sums(None)) == ((0, amount), (0, amount))
    assert refusals(budgets.reserve([wanted(1, user, 11, cap=10, fence=3)])) == ["person"]
    assert (sums(user), sums(None), Reservation.objects.count()) == ((0, 0), (0, 0), 0)


def test_who_lost_a_turn_can_neither_reserve_for_it_nor_give_back_what_the_next_one_holds() -> None:
    user = bob()
    budgets.reserve([wanted(1, user, 10, fence=1)])
    budgets.reserve([wanted(1, user, 10, fence=2)])

    (late,) = budgets.reserve([wanted(1, user, 10, fence=1)])
    budgets.settle([spent(1, user, 7, fence=1, on=today())])

    assert isinstance(late, Superseded)
    assert sums(user) == (7, 10), "what it spent counts all the same"
    budgets.settle([spent(1, user, 6, fence=2, on=today())])
    assert sums(user) == (13, 0)


def test_a_turn_over_midnight_is_settled_on_the_day_of_its_reservation() -> None:
    user = bob()
    with time_machine.travel(NOON, tick=False):
        (day,) = budgets.reserve([wanted(1, user, 10)])
    assert isinstance(day, date)
    with time_machine.travel(NOON + timedelta(hours=12), tick=False):
        budgets.settle([spent(1, user, 7, on=day)])
        assert sums(user) == sums(None) == (0, 0)
    assert sums(user, day) == sums(None, day) == (7, 0)


@pytest.mark.parametrize("days", [1, -1], ids=["midnight", "a clock set back"])
def test_a_turn_that_is_begun_again_on_another_day_leaves_nothing_on_the_first(days: int) -> None:
    user = bob()
    with time_machine.travel(NOON, tick=False):
        budgets.reserve([wanted(1, user, 9, cap=10)])
        first = today()
    with time_machine.travel(NOON + timedelta(days=days), tick=False):
        budgets.reserve([wanted(2, user, 5, cap=10)])
        results = budgets.reserve([wanted(1, user, 9, cap=10, fence=2), wanted(3, user, 5, cap=10)])
        assert (refusals(results), results[1]) == (["person"], first + timedelta(days=days))
        assert sums(user) == (0, 10)
    assert sums(user, first) == sums(None, first) == (0, 0)


def test_days_end_when_the_installations_do(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    with time_machine.travel(NOON.replace(hour=15), tick=False):
        assert budgets.reserve([wanted(1, bob(), 1)]) == [date(2026, 3, 11)]


@pytest.mark.parametrize("of_everybody", [True, False])
def test_a_day_has_one_row_a_person_and_one_for_everybody(of_everybody: bool) -> None:
    user = None if of_everybody else bob()
    for _ in range(2):
        budgets.settle([spent(1, bob(), 5), spent(2, user, 5)])
    DailySpend.objects.get(user=user)
    with pytest.raises(IntegrityError), transaction.atomic():
        DailySpend.objects.create(user=user, day=today())


def test_a_deleted_persons_spending_stays_in_everybodys_sum_and_their_reservation_can_be_settled() -> None:
    user = bob()
    budgets.settle([spent(1, user, 5)])
    budgets.reserve([wanted(2, user, 10)])
    user.delete()
    assert DailySpend.objects.get().user is None
    budgets.settle([spent(2, None, 4, on=today())])
    assert sums(None) == (9, 0)


def test_what_is_left_is_what_could_be_reserved() -> None:
    user = bob()
    assert left_today(user.pk, 30) == 30
    budgets.settle([spent(1, user, 12)])
    budgets.reserve([wanted(2, user, 8)])
    assert (left_today(user.pk, 30), left_today(user.pk, 15)) == (10, 0)


def test_an_unknown_price_is_not_taken_for_free(settings: Any) -> None:
    settings.UNPRICED_MICROS_PER_MILLION = 2_000_000
    assert (counted_micros(None, 100, 20), counted_micros(7, 100, 20), counted_micros(0, 100, 20)) == (240, 7, 0)
    assert (assumed_micros(1, 1), assumed_micros(0, 5), assumed_micros(100, 0)) == (1, 0, 0), "rounded up"


def test_many_turns_share_few_statements(django_assert_max_num_queries: Any) -> None:
    people = [bob() for _ in range(10)]
    asked = [wanted(key, people[key % 10], cap=1_000, global_cap_micros=10_000) for key in range(100)]
    with django_assert_max_num_queries(6):  # two of them begin and end the transaction
        assert budgets.reserve(asked) == [today()] * 100
    with CaptureQueriesContext(connection) as with_reservations:
        budgets.settle([spent(key, people[key % 10], 5, on=today()) for key in range(100)])
    with CaptureQueriesContext(connection) as without:
        budgets.settle([spent(key, people[key % 10], 5) for key in range(100)])
    with CaptureQueriesContext(connection) as nothing_paid:
        budgets.settle([spent(1, people[0], 0)])
    assert (len(with_reservations), len(without), len(nothing_paid)) == (3, 1, 0)
    assert sums(None) == (1_000, 0)


def test_looking_up_a_day_reads_an_index() -> None:
    DailySpend.objects.bulk_create([DailySpend(day=date(2000, 1, 1) + timedelta(days=n)) for n in range(2_000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_dailyspend")
    assert "usage_spend_one_per_day" in DailySpend.objects.of(5, today()).explain()


@pytest.mark.django_db(transaction=True)
def test_of_many_turns_that_reserve_at_the_same_moment_as_many_get_in_as_there_is_room_for() -> None:
    user = bob()

    def ask(key: int) -> Any:
        return lambda: budgets.reserve([wanted(key, user, 10, cap=100, global_cap_micros=1_000)])[0]

    results = together(*[ask(key) for key in range(20)])

    assert results.count(today()) == 10
    assert refusals(results) == ["person"] * 10
    assert sums(user) == sums(None) == (0, 100)


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_at_the_same_moment_share_everybodys_budget() -> None:
    people = [bob() for _ in range(20)]

    def ask(key: int) -> Any:
        return lambda: budgets.reserve([wanted(key, people[key], 10, cap=100, global_cap_micros=70)])[0]

    results = together(*[ask(key) for key in range(20)])

    assert results.count(today()) == 7
    assert refusals(results) == ["everybody"] * 13
    assert sum(sums(one)[1] for one in people) == sums(None)[1] == 70


@pytest.mark.django_db(transaction=True)
def test_batches_in_any_order_do_not_deadlock_and_leave_nothing_reserved() -> None:
    people = [bob() for _ in range(6)]

    def work(worker: int) -> Any:
        order = people if worker % 2 else people[::-1]

        def run() -> None:
            for number in range(8):
                keys = [worker * 1_000 + number * 10 + position for position in range(6)]
                shared = [wanted(-position, one, 1, fence=worker) for position, one in enumerate(order)]
                budgets.reserve([wanted(key, one, 1) for key, one in zip(keys, order, strict=True)])
                with transaction.atomic():
                    budgets.settle([spent(key, one, 2, on=today()) for key, one in zip(keys, order, strict=True)])
                # (Somebody else may just have stored the same keys: a worker's database thread tries that again.)
                with suppress(IntegrityError):
                    budgets.reserve(shared)
                budgets.release(Reservation.objects.filter(turn_key__lte=0))

        return run

    assert together(*[work(worker) for worker in range(4)]) == [None] * 4

    assert not Reservation.objects.exists()
    assert [sums(one) for one in people] == [(2 * 8 * 4, 0)] * 6
    assert sums(None) == (2 * 8 * 4 * 6, 0)
