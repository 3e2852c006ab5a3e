"""The report's sums: right in every dimension, at every step down, at the borders of days, and of days long ago."""

import pytest

from usage.reporting import table as tables
from usage.reporting.question import NOBODY, By
from usage.retention import cleanup_old_usage_metrics
from usage.tests.usages import added, answer, ask, call, costs, everything, leaves
from users.models import User
from users.tests.factories import UserFactory, bob

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]


def test_rows_are_days_people_bots_and_models(people: tuple[User, User]) -> None:
    anna, ben = people
    assert costs(answer(by="day")) == {
        "2026-03-20": 300, "2026-03-19": 1_000, "2026-03-15": 2_030, "2026-03-08": 4_000, "2026-02-19": 50_000,
    }  # fmt: skip
    assert list(costs(answer(by="day"))) == sorted(costs(answer(by="day")), reverse=True)
    assert list(costs(answer(by="person")).items()) == [
        (str(anna.pk), 50_330), (str(ben.pk), 3_000), (str(NOBODY), 4_000),
    ]  # fmt: skip
    assert list(costs(answer(by="bot")).items()) == [("shop", 53_130), ("desk", 4_200)]
    assert list(costs(answer(by="model")).items()) == [("small", 55_130), ("large", 2_200), ("house", 0)]


def test_every_view_has_the_same_total(people: tuple[User, User]) -> None:
    expected = everything()
    for by in By:
        found = answer(by=by, days=31)
        assert found.total.sums == expected == added(found.rows)
        assert added(list(found.by("day").values())) == expected
    assert (expected.calls, expected.answers, expected.unpriced) == (9, 8, 1)
    assert (expected.input_tokens, expected.cached_input_tokens, expected.output_tokens) == (90, 36, 24)


def test_at_every_step_down_the_rows_are_the_sum_of_what_was_opened(people: tuple[User, User]) -> None:
    call(None, 40, 7)
    cleanup_old_usage_metrics(35)
    for by in By:
        start = ask(days=60, by=by)
        steps = leaves(start)
        assert max(len(step.values) for step in steps) >= 3
        for step in steps:
            if not step.narrowed:
                continue
            opened = {row.key: row.sums for row in tables.table(step.widen(len(step.narrowed) - 1)).rows}
            found = tables.table(step)
            assert found.total.sums == opened[step.narrowed[-1][1]] == added(found.rows), step


def test_only_the_dearest_people_have_rows_and_the_others_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_PEOPLE", 2)
    for number in range(5):
        call(UserFactory.create(), number, 10**number)
    call(None, 1, 7)
    found = answer(by="person")
    assert [row.sums.cost_micros for row in found.rows] == [10_000, 1_000, 7]
    assert found.more and (found.more_people, found.more.sums.cost_micros, found.more.sums.calls) == (3, 111, 3)
    assert added([*found.rows, found.more]) == found.total.sums == everything()


def test_no_more_people_no_row_for_more() -> None:
    call(bob(), 0, 1)
    found = answer(by="person")
    assert (found.more, found.more_people) == (None, 0)
    assert answer(by="person", days=1, bot="none").rows == []
