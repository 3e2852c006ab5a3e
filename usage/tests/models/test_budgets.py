"""Rows of days: one for each owner, found by an index."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from usage import budgets
from usage.days import today
from usage.models import DailySpend
from usage.spending import EVERYBODY, Owner
from usage.tests.reserving import DESK, SHOP, spent, sums
from users.tests.factories import bob

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_bot_and_a_person_are_never_taken_for_each_other() -> None:
    user = bob()
    slug = str(user.pk)
    budgets.settle([spent(1, user, 10, bot=slug), spent(2, None, 1, bot=slug)])
    assert (sums(user), sums(slug), sums(None)) == ((10, 0), (11, 0), (11, 0))
    assert DailySpend.objects.count() == 3


@pytest.mark.parametrize(("has_user", "bot"), [(True, ""), (False, SHOP), (False, "")])
def test_a_day_has_one_row_a_person_one_a_bot_and_one_for_everybody(has_user: bool, bot: str) -> None:
    user = bob()
    for _ in range(2):
        budgets.settle([spent(1, bob(), 5), spent(2, user, 5), spent(3, None, 5)])
    owner = {"user": user if has_user else None, "bot": bot}
    DailySpend.objects.get(**owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        DailySpend.objects.create(**owner, day=today())


def test_a_day_is_looked_up_for_exactly_one_person_one_bot_or_everybody() -> None:
    user = bob()
    budgets.settle([spent(1, user, 1), spent(2, None, 2), spent(3, None, 4, bot=DESK)])
    looked_up = [Owner(user_id=user.pk), Owner(bot=SHOP), Owner(bot=DESK), EVERYBODY, Owner(bot="nobody")]
    found = [list(DailySpend.objects.of(owner, today()).values_list("spent_micros", flat=True)) for owner in looked_up]
    assert found == [[1], [3], [4], [7], []]


@pytest.mark.parametrize("owner", [Owner(user_id=5), Owner(bot=SHOP), EVERYBODY], ids=["person", "bot", "everybody"])
def test_looking_up_a_day_reads_an_index(owner: Owner) -> None:
    days = [date(2000, 1, 1) + timedelta(days=n) for n in range(1_000)]
    DailySpend.objects.bulk_create([DailySpend(day=day, bot=bot) for day in days for bot in ("", SHOP)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_dailyspend")
    assert "usage_spend_one_per_day" in DailySpend.objects.of(owner, today()).explain()
