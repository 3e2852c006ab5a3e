"""/users: who may write, listed and found in the chat."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from bot.tests.support.factories import BOB, whitelisted
from usage.tests.factories import UsageRecordFactory
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

OWNER = "+4915100000001"

Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def owner(transactional_db: None) -> User:
    return whitelisted(OWNER, name="Olga", role=Role.OWNER)


def test_users_counts_who_may_write_and_lists_the_newest_with_what_they_spent_today(ask: Ask, owner: User) -> None:
    people = [UserFactory.create(name=f"Person {number}") for number in range(22)]
    UserFactory.create(name="Outsider", is_whitelisted=False)
    newest = people[-1]
    UsageRecordFactory(user=newest, cost_micros=1_250_000)
    UsageRecordFactory(user=newest, cost_micros=None)
    UsageRecordFactory(user=newest, cost_micros=9_000_000, created_at=timezone.now() - timedelta(days=2))

    lines = ask("/users", OWNER).splitlines()

    assert lines[0] == "23 people may write to me."
    assert lines[1] == f"Person 21 ({newest.phone_number}) · User · $1.25 today"
    assert lines[2] == f"Person 20 ({people[-2].phone_number}) · User · $0.00 today"
    assert len(lines) == 22 and lines[-1].startswith("… and more.")
    assert "Outsider" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("meier", ["Carla Meier", "Bob Meier"]),
        ("BOB", ["Bob Meier"]),
        ("+49 151 8765-4321", ["Bob Meier"]),
        ("004915187654321", ["Bob Meier"]),
        ("8765", ["Bob Meier"]),
        ("87-65", ["Bob Meier"]),
        ("100%", ["100% Dan"]),
        ("Zoe", []),
        ("Bob 8765", []),
    ],
)
def test_users_finds_by_name_and_by_number_in_any_spelling(ask: Ask, text: str, found: list[str]) -> None:
    UserFactory.create(name="Bob Meier", phone_number=BOB)
    UserFactory.create(name="Carla Meier", is_whitelisted=False)
    UserFactory.create(name="100% Dan")

    head, *lines = ask(f"/users {text}", OWNER).splitlines()

    assert head == "3 people may write to me."
    if found:
        assert [line.split(" (")[0] for line in lines] == found
        assert all(("not allowed" in line) == ("Carla" in line) for line in lines)
    else:
        assert lines == [f"Nobody's name or number matches “{text}”."]
