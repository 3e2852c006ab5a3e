"""manage.py reprice: price what has no cost yet."""

from datetime import timedelta

import pytest

from usage.tests.factories import ModelPriceFactory
from usage.tests.waiting_records import NOON, run, waiting
from users.tests.factories import bob

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_the_command_says_what_was_priced_and_what_is_missing_where() -> None:
    waiting(bob())
    waiting(bob())
    waiting(bob(), model="auto", model_answered="llama", created_at=NOON - timedelta(days=3))
    ModelPriceFactory.create()
    expected = (
        "{} 2 usage records that had no cost: $0.00168.\n"
        "  house-model: 2 records, $0.00168\n"
        "Still without a price:\n"
        "  auto (answered by llama): 1 records, the first of 2026-03-07\n"
        "Add their prices under Model prices in the admin, valid from the day of the first record or earlier, "
        "and run this again.\n"
    )
    assert run("--dry-run") == expected.format("Would price")
    assert run() == expected.format("Priced")
    assert run("--model", "house-model") == "Priced 0 usage records that had no cost: $0.00.\n"
