"""What the report is asked: a period, and what makes no sense is refused."""

import pytest

from usage.reporting.question import BadQuestion, By
from usage.tests.usages import TODAY, answer, ask, costs, day
from users.models import User

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]


def test_a_period_of_one_day_has_no_days_to_choose_from(people: tuple[User, User]) -> None:
    assert ask(days=1).free == (By.PERSON, By.BOT, By.MODEL)
    assert ask(days=1).by is By.PERSON
    assert ask(days=1, by="day").by is By.PERSON
    assert ask(day=TODAY, person=1, bot="shop", model="small").by is By.DAY
    assert costs(answer(day=TODAY, person=people[0].pk, bot="shop", model="small")) == {"2026-03-20": 100}


def test_opening_a_day_leads_to_people_a_person_to_models_and_then_to_bots() -> None:
    question = ask()
    path = []
    while question.by not in question.values:
        path.append(question.by)
        question = question.narrow(question.by, "2026-03-19" if question.by is By.DAY else "1")
    assert path == [By.DAY, By.PERSON, By.MODEL, By.BOT]
    assert question.widen(1) == ask(day="2026-03-19", by="person")
    assert question.widen(0) == ask()


@pytest.mark.parametrize(
    "asked",
    [
        {"days": 0}, {"days": 367}, {"days": -1}, {"days": "many"}, {"days": "²"}, {"days": "9" * 5_000},
        {"from_": "2026-03-02", "to": "2026-03-01"}, {"from_": "2026-03-01"}, {"to": "2026-03-01"},
        {"from_": "2026-02-30", "to": "2026-03-01"}, {"from_": "0001-01-01", "to": "0001-01-01"},
        {"from_": "9999-12-31", "to": "9999-12-31"}, {"from_": "2026-03-21", "to": "2026-03-22"},
        {"from_": "2025-01-01", "to": "2026-03-01"}, {"from_": "'; DROP", "to": "2026-03-01"},
        {"by": "kind"}, {"by": "day\x00"}, {"person": "bob"}, {"person": "-1"}, {"person": "9" * 30}, {"person": "٣"},
        {"bot": "x" * 201}, {"bot": "a\x00b"}, {"model": "\x00"}, {"day": "2026-01-01"}, {"day": "soon"}, {"day": ""},
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused_with_a_reason(asked: dict[str, str]) -> None:
    with pytest.raises(BadQuestion, match=r"\w+ \w+"):
        ask(**asked)


def test_a_period_may_end_after_today_and_ends_today_then() -> None:
    question = ask(from_=day(3), to=day(-10))
    assert (question.first, question.last) == (day(3), TODAY)
