"""manage.py reprice: price what has no cost yet."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from usage.models import UsageRecord
from usage.tests.factories import ModelPriceFactory
from usage.tests.waiting_records import NOON, waiting
from users.tests.factories import bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reprice", *arguments, stdout=out)
    return out.getvalue()


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


def test_the_command_prices_only_what_is_chosen() -> None:
    alice, other = bob(phone_number="+491711234567"), charlie()
    now = datetime.now(UTC)
    chosen = waiting(alice, created_at=now)
    waiting(alice, created_at=now - timedelta(days=2))
    waiting(other, created_at=now)
    waiting(alice, model="other", created_at=now)
    for model in ("house-model", "other"):
        ModelPriceFactory.create(model=model)
    run("--user", "0049 171 1234567", "--days", "1", "--model", "house-model")
    assert list(UsageRecord.objects.exclude(cost_micros=None)) == [chosen]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--days", "0"], "--days must be at least 1"),
        (["--days", "soon"], "--days"),
        (["--user", "Bob"], "--user: A phone number has no letters"),
        (["--user", "+15550001111"], "--user: nobody has this phone number"),
    ],
)
def test_a_wrong_choice_is_a_clear_error_and_prices_nothing(arguments: list[str], error: str) -> None:
    waiting(bob())
    ModelPriceFactory.create()
    with pytest.raises(CommandError, match=error):
        run(*arguments)
    assert UsageRecord.objects.get().cost_micros is None
