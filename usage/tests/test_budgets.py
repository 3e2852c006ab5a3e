"""Budgets hold whoever asks at once: reserved for person, bot and everybody, or not at all; settled at cost."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from usage import budgets
from usage.budgets import OverBudget, Superseded, counted_micros, left_today, user_cap
from usage.days import today
from usage.models import DailySpend, Reservation
from usage.pricing import assumed_micros
from usage.tests.reserving import DESK, SHOP, spent, sums, wanted
from users.models import User
from users.tests.factories import bob, charlie
from users.tests.together import together

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.promise("budgets")]


def refusals(results: list[Any]) -> list[str]:
    return [result.cap.name.lower() for result in results if isinstance(result, OverBudget)]


def test_a_reservation_counts_for_the_person_the_bot_and_everybody_until_it_is_settled() -> None:
    user, other = bob(), charlie()

    asked = [wanted(1, user, 10), wanted(2, other, 5), wanted(3, user, 3, bot=DESK)]
    assert budgets.reserve(asked) == [today()] * 3
    assert (sums(user), sums(other), sums(None)) == ((0, 13), (0, 5), (0, 18))
    assert (sums(SHOP), sums(DESK)) == ((0, 15), (0, 3))

    budgets.settle(
        [spent(1, user, 7, on=today()), spent(2, other, 0, on=today()), spent(3, user, 2, on=today(), bot=DESK)]
    )
    assert (sums(user), sums(other), sums(None)) == ((9, 0), (0, 0), (9, 0))
    assert (sums(SHOP), sums(DESK)) == ((7, 0), (2, 0))
    assert not Reservation.objects.exists()


def test_a_cap_may_be_reached_and_not_exceeded() -> None:
    user = bob()
    results = budgets.reserve([wanted(key, user, 10, cap=30) for key in range(5)])
    assert results[:3] == [today()] * 3
    assert refusals(results) == ["person", "person"]
    assert sums(user) == (0, 30)
    assert refusals(budgets.reserve([wanted(9, user, 1, cap=30)])) == ["person"]


@pytest.mark.parametrize("together_in_one_batch", [True, False])
@pytest.mark.parametrize("cap", ["user_cap_micros", "bot_cap_micros", "global_cap_micros"])
def test_who_is_refused_is_told_whether_what_others_have_reserved_is_in_the_way(
    cap: str, together_in_one_batch: bool
) -> None:
    user = bob()
    budgets.settle([spent(9, user, 5)])
    asked = [wanted(key, user, amount, **{cap: 30}) for key, amount in ((1, 20), (2, 10), (3, 25), (4, 26))]
    batches = [asked] if together_in_one_batch else [[one] for one in asked]

    results = [result for batch in batches for result in budgets.reserve(batch)]

    assert [result.may_pass if isinstance(result, OverBudget) else None for result in results] == [
        None,
        True,  # 5 are spent, 20 reserved
        True,  # 5 are spent: exactly the 25 could be left
        False,
    ]


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


@pytest.mark.parametrize(
    ("caps", "told"),
    [
        ((5, 5, 5), "person"),
        ((None, 5, 5), "bot"),
        ((10, 5, 5), "bot"),
        ((10, 10, 5), "everybody"),
        ((9, 10, 9), "person"),
    ],
)
def test_who_is_over_several_caps_is_told_of_the_one_that_is_closest_to_them(
    caps: tuple[int | None, int, int], told: str
) -> None:
    of_user, of_bot, of_all = caps
    asked = wanted(1, bob(), 10, cap=of_user, bot_cap_micros=of_bot, global_cap_micros=of_all)
    assert refusals(budgets.reserve([asked])) == [told]
    assert set(DailySpend.objects.values_list("reserved_micros", flat=True)) == {0}


@pytest.mark.parametrize("together_in_one_batch", [True, False])
def test_a_bots_budget_is_shared_by_its_people_and_leaves_other_bots_alone(together_in_one_batch: bool) -> None:
    user, other = bob(), charlie()
    asked = [
        wanted(1, user, 10, bot_cap_micros=15),
        wanted(2, other, 10, bot_cap_micros=15),
        wanted(3, other, 10, bot=DESK, bot_cap_micros=15),
        wanted(4, other, 5, bot_cap_micros=15),
    ]
    batches = [asked] if together_in_one_batch else [[one] for one in asked]

    results = [result for batch in batches for result in budgets.reserve(batch)]

    assert [isinstance(result, OverBudget) for result in results] == [False, True, False, False]
    assert refusals(results) == ["bot"]
    assert (sums(SHOP), sums(DESK), sums(user), sums(other)) == ((0, 15), (0, 10), (0, 10), (0, 15))


@pytest.mark.parametrize("cap", ["user_cap_micros", "bot_cap_micros", "global_cap_micros"])
def test_a_cap_that_is_lowered_below_what_was_spent_lets_nothing_through(cap: str) -> None:
    user = bob()
    budgets.settle([spent(1, user, 10)])
    for key, lowered, amount in ((2, 9, 0), (3, 0, 1), (4, 10, 1)):
        assert refusals(budgets.reserve([wanted(key, user, amount, **{cap: lowered})])), (lowered, amount)
    assert budgets.reserve([wanted(5, user, 1, **{cap: 11})]) == [today()]


def test_a_reservation_from_before_bots_had_budgets_goes_out_of_the_rows_it_is_in() -> None:
    user = bob()
    budgets.reserve([wanted(1, user, 10, bot="")])
    assert (sums(user), sums(None), DailySpend.objects.count()) == ((0, 10), (0, 10), 2)
    budgets.settle([spent(1, user, 7, on=today())])
    assert (sums(user), sums(SHOP), sums(None)) == ((7, 0), (7, 0), (7, 0))


def test_a_budget_of_zero_pays_for_nothing_but_what_is_free() -> None:
    user = bob()
    results = budgets.reserve([wanted(1, user, 1, cap=0), wanted(2, user, 0, cap=0)])
    assert (refusals(results), results[1]) == (["person"], today())


@pytest.mark.parametrize(
    ("own", "bots", "installations", "cap"),
    [
        (0, 7, 500, 0),
        (9, 7, 500, 9),
        (None, 7, 500, 7),
        (None, 0, 500, 0),
        (None, None, 500, 500),
        (None, None, None, None),
    ],
)
def test_a_cap_is_the_persons_own_else_the_bots_for_each_person_else_the_installations(
    own: int | None, bots: int | None, installations: int | None, cap: int | None, settings: Any
) -> None:
    settings.USER_DAILY_BUDGET_MICROS = installations
    assert user_cap(User(daily_budget_micros=own), bots) == cap
    assert user_cap(None, bots) is None


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
        assert sums(user) == sums(SHOP) == sums(None) == (0, 0)
    assert sums(user, day) == sums(SHOP, day) == sums(None, day) == (7, 0)


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
    assert sums(user, first) == sums(SHOP, first) == sums(None, first) == (0, 0)


def test_days_end_when_the_installations_do(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    with time_machine.travel(NOON.replace(hour=15), tick=False):
        assert budgets.reserve([wanted(1, bob(), 1)]) == [date(2026, 3, 11)]


def test_a_deleted_persons_spending_stays_in_the_bots_and_everybodys_sum_and_their_reservation_can_be_settled() -> None:
    user = bob()
    budgets.settle([spent(1, user, 5)])
    budgets.reserve([wanted(2, user, 10)])
    user.delete()
    assert {(row.user, row.bot) for row in DailySpend.objects.all()} == {(None, ""), (None, SHOP)}
    budgets.settle([spent(2, None, 4, on=today())])
    assert sums(None) == sums(SHOP) == (9, 0)


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
    bots = [f"bot-{number}" for number in range(10)]
    asked = [
        wanted(key, people[key % 10], cap=1_000, bot=bots[key // 10], bot_cap_micros=1_000, global_cap_micros=10_000)
        for key in range(100)
    ]
    with django_assert_max_num_queries(6):  # two of them begin and end the transaction
        assert budgets.reserve(asked) == [today()] * 100
    with CaptureQueriesContext(connection) as with_reservations:
        budgets.settle([spent(key, people[key % 10], 5, on=today(), bot=bots[key // 10]) for key in range(100)])
    with CaptureQueriesContext(connection) as without:
        budgets.settle([spent(key, people[key % 10], 5) for key in range(100)])
    with CaptureQueriesContext(connection) as nothing_paid:
        budgets.settle([spent(1, people[0], 0)])
    assert (len(with_reservations), len(without), len(nothing_paid)) == (3, 1, 0)
    assert sums(None) == (1_000, 0)


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
def test_people_who_ask_a_bot_at_the_same_moment_share_its_budget() -> None:
    people = [bob() for _ in range(20)]

    def ask(key: int) -> Any:
        caps = {"cap": 100, "bot_cap_micros": 70, "global_cap_micros": 1_000}
        return lambda: budgets.reserve([wanted(key, people[key], 10, **caps)])[0]

    results = together(*[ask(key) for key in range(20)])

    assert results.count(today()) == 7
    assert refusals(results) == ["bot"] * 13
    assert sum(sums(one)[1] for one in people) == sums(SHOP)[1] == sums(None)[1] == 70
