"""The names that a report shows: of people who are there, of those who are gone, and of what has no name."""

from datetime import date

import pytest

from usage.reporting.question import NOBODY, By
from usage.reporting.words import Names, heading, short_day
from users.tests.factories import bob

pytestmark = pytest.mark.django_db


def test_a_person_has_name_number_and_page_for_who_may_open_it(django_assert_num_queries) -> None:
    person = bob()
    with django_assert_num_queries(1):
        names = Names([str(person.pk), "", str(NOBODY)], may_open=True)
    key = str(person.pk)
    assert (names.of(By.PERSON, key), names.number(key)) == (str(person), person.phone_number)
    assert names.link(key).endswith(f"/{key}/change/")
    assert Names([key], may_open=False).link(key) == ""


def test_who_is_gone_is_told_without_a_name_a_number_or_a_page(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        names = Names(["", str(NOBODY)], may_open=True)
    assert names.of(By.PERSON, str(NOBODY)) == "Deleted people, and old days"
    assert (names.of(By.PERSON, "999"), names.number("999"), names.link("999")) == ("Person 999", "", "")


def test_what_has_no_name_says_so() -> None:
    names = Names([], may_open=True)
    assert [names.of(by, "") for by in (By.BOT, By.MODEL)] == ["(no bot)", "(no model)"]
    assert names.of(By.BOT, "shop") == "shop"
    assert names.of(By.DAY, "2026-11-26") == "Nov. 26, 2026"
    assert (heading(By.DAY), short_day(date(2026, 11, 26))) == ("Day", "26 Nov")
