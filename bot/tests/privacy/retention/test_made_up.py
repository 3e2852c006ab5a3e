"""People whom the simulator has made up are left over when nobody has written as them for a while."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bot.privacy.retention.made_up import MADE_UP_NUMBERS, left_over_since
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_only_who_was_made_up_and_is_not_used_any_more_is_left_over() -> None:
    first, second, third, fourth = MADE_UP_NUMBERS[:4]
    old = UserFactory.create(phone_number=first, daily_budget_micros=0)
    UserFactory.create(phone_number=second, daily_budget_micros=0, role=Role.ADMIN)
    UserFactory.create(phone_number=third, daily_budget_micros=1)
    UserFactory.create(daily_budget_micros=0)
    cutoff = timezone.now()
    User.objects.update(updated_at=cutoff - timedelta(seconds=1))
    User.objects.filter(pk=UserFactory.create(phone_number=fourth, daily_budget_micros=0).pk).update(updated_at=cutoff)
    assert list(left_over_since(cutoff)) == [old]
