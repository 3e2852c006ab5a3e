"""What commands about usage take as arguments."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError

from usage.models import UsageRecord
from usage.tests.factories import ModelPriceFactory
from usage.tests.waiting_records import run, waiting
from users.tests.factories import bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]


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
