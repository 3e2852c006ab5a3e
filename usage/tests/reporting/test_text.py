"""The report as tables for a terminal."""

from typing import Any

import pytest
import time_machine

from usage.tests.reporting.terminal import NOW, run, table_of, used
from users.tests.factories import bob

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def test_twenty_people_are_shown_and_the_others_counted() -> None:
    for number in range(23):
        used(bob(name="", phone_number=f"+491719990{number:03}"), cost_micros=number)
    text = run()
    people = table_of(text, "person")
    assert (people[0][0], len(people)) == ("+491719990022", 21)
    assert "and 3 more; --csv has everybody" in text


def test_people_of_one_name_are_not_added_up_and_a_name_moves_no_cursor() -> None:
    for _ in range(2):
        used(bob(name="Bob\x1b[2J\nBob", phone_number=None))
    lines = [line for line in run().splitlines() if line.startswith("Bob")]
    assert [line.count("�") for line in lines] == [2, 2]


def test_nothing_used_is_said() -> None:
    assert run().splitlines()[1] == "Nothing was used."
